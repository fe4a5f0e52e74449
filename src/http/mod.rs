//! The web: one file per resource. Handlers read like a script: who asks, what the store says, the answer.

pub mod access;
pub mod accounts;
mod allow;
pub mod attachments;
pub mod basemap;
pub mod blobs;
mod body;
pub mod browser;
pub mod conflicts;
mod console;
pub mod devices;
pub mod error;
pub mod events;
mod figures;
pub mod freezes;
mod ground;
pub mod health;
pub mod ledger;
mod map_access;
pub mod map_passwords;
pub mod ogc;
pub mod openapi;
pub mod programme;
pub mod quality;
pub mod quarantine;
mod ranges;
pub mod records;
pub mod schemas;
pub mod server;
pub mod session;
pub mod state;
pub mod sync;
mod table;
mod turns;
pub mod uploads;
pub mod waiting;
mod which;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(health::live)
        .service(health::ready)
        .service(health::metrics)
        .service(session::log_in)
        .service(session::refresh)
        .service(session::log_out)
        .service(session::change_password)
        .service(browser::log_in)
        .service(browser::refresh)
        .service(browser::log_out)
        .service(accounts::list_accounts)
        .service(accounts::add_account)
        .service(accounts::change_account)
        .service(accounts::reset_password)
        .service(accounts::list_organisations)
        .service(accounts::add_organisation)
        .service(map_passwords::list)
        .service(map_passwords::make)
        .service(map_passwords::revoke)
        .service(map_passwords::list_all)
        .service(map_passwords::revoke_any)
        .service(devices::enrol)
        .service(devices::offer_enrolment)
        .service(devices::list)
        .service(devices::revoke)
        .service(devices::list_alarms)
        .service(schemas::list)
        .service(schemas::show)
        .service(sync::push_edits)
        .service(sync::pull_changes)
        .service(sync::list_scopes)
        .service(sync::show_head)
        .service(events::show)
        .service(sync::show_log)
        .service(sync::list_people)
        .service(records::list)
        .service(records::show)
        .service(records::history)
        .service(records::review)
        .service(records::correct)
        .service(records::outline)
        .service(records::queue)
        .service(waiting::count)
        .service(attachments::list)
        .service(attachments::list_absent)
        .service(uploads::offer)
        .service(uploads::create)
        .service(uploads::offer_one)
        .service(uploads::tell)
        .service(uploads::send)
        .service(uploads::send_as_post)
        .service(blobs::show)
        .service(blobs::show_small)
        .service(conflicts::list)
        .service(conflicts::show)
        .service(conflicts::resolve)
        .service(quarantine::list)
        .service(quarantine::parked)
        .service(quarantine::repair)
        .service(quarantine::dismiss)
        .service(quality::list)
        .service(quality::rules)
        .service(programme::show)
        .service(programme::set)
        .service(basemap::show)
        .service(ledger::remaining)
        .service(ledger::balance)
        .service(ledger::pieces)
        .service(ledger::releases)
        .service(freezes::list)
        .service(freezes::make)
        .service(ledger::article5_progress)
        .configure(ogc::routes);
}
