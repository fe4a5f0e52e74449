//! Pulling every followed scope, page by page, until its digest agrees.

use serde_json::json;
use uuid::Uuid;

use super::session::{Session, meet_epoch};
use super::{Client, ClientError, Report, Result, outbox, scope};
use crate::sync::wire::{MOST_SCOPES, PullAnswer, SERVER, ScopePage};

/// Scopes in one request; the server takes no more.
const TOGETHER: usize = MOST_SCOPES;

impl Client {
    /// Pulls until every scope is at its end. True where the server turned out to have begun a new epoch.
    pub(super) fn pull(&mut self, report: &mut Report) -> Result<bool> {
        let mut renewed = false;
        let mut open: Vec<String> =
            scope::rows(&mut self.connection)?.into_iter().map(|row| row.id).collect();
        // A scope that disagrees is fetched once more; if it still does, that is for the next sync.
        let mut tried: Vec<String> = Vec::new();
        while !open.is_empty() {
            let asked: Vec<String> = open.drain(..open.len().min(TOGETHER)).collect();
            let answer = self.pull_pages(&asked)?;
            renewed |= self.meet(&answer)?;
            for page in &answer.scopes {
                let applied = self.take_page(page, answer.head.epoch)?;
                report.pulled += page.records.len();
                report.left.extend(&page.leaves);
                if applied.has_more {
                    open.push(page.id.clone());
                }
                if applied.agrees == Some(false) && !tried.contains(&page.id) {
                    tried.push(page.id.clone());
                    open.push(page.id.clone());
                }
            }
            Session::keep_head(&mut self.connection, &answer.head)?;
        }
        report.new_epoch |= renewed;
        report.refetched.extend(tried);
        self.connection.immediate_transaction(|connection| outbox::settle(connection, &report.left))?;
        Ok(renewed)
    }

    fn pull_pages(&mut self, asked: &[String]) -> Result<PullAnswer> {
        let rows = scope::rows(&mut self.connection)?;
        let scopes: Vec<_> = rows
            .iter()
            .filter(|row| asked.contains(&row.id))
            .map(|row| json!({"id": row.id, "epoch": row.epoch, "cursor": row.cursor}))
            .collect();
        let schemas: serde_json::Map<String, serde_json::Value> = self
            .registry
            .kinds()
            .filter_map(|kind| Some((kind.to_owned(), self.registry.latest(kind)?.version().into())))
            .collect();
        let body = json!({"scopes": scopes, "schemas": schemas});
        let answer: PullAnswer = self.ask_as_device("/v1/sync/pull", Some(serde_json::to_vec(&body)?))?;
        if answer.server == SERVER { Ok(answer) } else { Err(ClientError::NotOurs { status: 200 }) }
    }

    fn meet(&mut self, answer: &PullAnswer) -> Result<bool> {
        let known = Session::load(&mut self.connection)?.epoch.is_some();
        let epoch = answer.head.epoch;
        let renewed = self.connection.immediate_transaction(|connection| meet_epoch(connection, epoch))?;
        Ok(renewed && known)
    }

    fn take_page(&mut self, page: &ScopePage, epoch: Uuid) -> Result<scope::Applied> {
        self.connection.immediate_transaction(|connection| scope::apply(connection, page, epoch))
    }
}
