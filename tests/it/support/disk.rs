//! A small disk of its own, which can be filled up. It is mounted where only those see it who enter: nothing stays
//! behind, however the tests end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const KEEPER: &str = r#"mount -t tmpfs -o "size=$2,mode=0755" small "$1" && echo ready && read -r _"#;

/// A disk of some megabytes.
pub(crate) struct SmallDisk {
    folder: TempDir,
    keeper: Child,
}

impl SmallDisk {
    /// Makes one; or why there is none: mounting is root's to do, and not in every container.
    pub(crate) fn new(megabytes: u32) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", KEEPER, "keeper"])
            .arg(folder.path())
            .arg(format!("{megabytes}m"))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|fault| format!("unshare: {fault}"))?;
        let mut said = String::new();
        let _ = BufReader::new(keeper.stdout.take().expect("it is piped")).read_line(&mut said);
        let disk = Self { folder, keeper };
        if said.trim() == "ready" { Ok(disk) } else { Err("no file system may be mounted here".to_owned()) }
    }

    /// Runs what follows where the disk is seen.
    pub(crate) fn enter(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--mount=/proc/{}/ns/mnt", self.keeper.id())]
    }

    /// Where it is, for those who have entered.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same from without, for plain files only: a database would follow the link to the wrong place.
    pub(crate) fn outside(&self) -> PathBuf {
        let inside = self.folder.path().strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.keeper.id())).join(inside)
    }

    /// Writes to it until it is full.
    pub(crate) fn fill(&self) {
        let mut filler =
            std::fs::File::options().create(true).append(true).open(self.outside().join("filler")).unwrap();
        for piece in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.outside().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
