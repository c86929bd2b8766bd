//! A real rsyslogd that follows log files and sends their lines to Kafka.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::floodmark::PATIENCE;
use crate::kafka::Kafka;
use crate::running::Running;
use crate::skip::Missing;

/// An rsyslogd of its own. Killed when dropped.
#[derive(Debug)]
pub struct Rsyslog {
    process: Running,
    /// Removed after the process has ended.
    _folder: TempDir,
}

impl Rsyslog {
    /// Starts it with `feeds`: the file to follow and the topic each of its lines goes to, compressed with zstd.
    ///
    /// # Errors
    /// [`Missing`] when rsyslog or its module for Kafka is not installed.
    pub fn start(kafka: &Kafka, feeds: &[(&Path, &str)]) -> Result<Self, Missing> {
        let rsyslogd = Daemon::find("rsyslogd")?;
        let folder = tempfile::Builder::new().prefix("floodmark-rsyslog-").tempdir().unwrap();
        let file = folder.path().join("rsyslog.conf");
        fs::write(&file, configuration(folder.path(), &kafka.brokers(), feeds)).unwrap();
        let mut check = rsyslogd.command();
        let checked = Running::start(check.args(["-N1", "-f"]).arg(&file)).output(PATIENCE);
        if checked.stderr.contains("could not load module") {
            return Err(Missing("rsyslog's module omkafka (Debian: rsyslog-kafka) missing".into()));
        }
        checked.expect_status(0);
        let mut command = rsyslogd.command();
        command.args(["-n", "-f"]).arg(&file).arg("-i").arg(folder.path().join("pid"));
        Ok(Self { process: Running::start(&mut command), _folder: folder })
    }

    /// Waits until `condition` holds while it runs.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        self.process.until(what, PATIENCE, |_| condition());
    }
}

/// What an edge node would have, but for the two lists: lines go out as they are, of any length that nginx writes.
fn configuration(folder: &Path, brokers: &str, feeds: &[(&Path, &str)]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "global(workDirectory=\"{folder}\" maxMessageSize=\"64k\")\n\
         module(load=\"imfile\" mode=\"inotify\")\n\
         module(load=\"omkafka\")\n\
         template(name=\"line\" type=\"string\" string=\"%msg%\")\n\
         action(type=\"omfile\" file=\"/dev/stderr\")\n"
    );
    for (file, topic) in feeds {
        let file = file.display();
        writeln!(
            text,
            "input(type=\"imfile\" file=\"{file}\" tag=\"{topic}\" ruleset=\"{topic}\")\n\
             ruleset(name=\"{topic}\") {{\n  action(type=\"omkafka\" broker=[\"{brokers}\"] topic=\"{topic}\" \
             template=\"line\" confParam=[\"compression.codec=zstd\"])\n}}"
        )
        .unwrap();
    }
    text
}
