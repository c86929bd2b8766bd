//! A real nginx that writes access logs.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::floodmark::PATIENCE;
use crate::kafka::closed_port;
use crate::running::Running;
use crate::skip::Missing;

/// An nginx of its own: loopback port, folder, logs. Killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Running,
    port: u16,
    logs: Vec<PathBuf>,
    /// Removed after the process has ended.
    _folder: TempDir,
}

impl Nginx {
    /// Starts it with a log for each of `formats`: name and text of the `log_format`, which nginx knows itself where
    /// the text is empty.
    ///
    /// # Errors
    /// [`Missing`] when nginx is not installed.
    ///
    /// # Panics
    /// When it is there and does not start all the same.
    pub fn start(formats: &[(&str, &str)]) -> Result<Self, Missing> {
        let nginx = Daemon::find("nginx")?;
        // A port found free can be taken before nginx binds it: then another is tried.
        let mut errors = Vec::new();
        for _ in 0..3 {
            match Self::launch(&nginx, formats) {
                Ok(nginx) => return Ok(nginx),
                Err(error) => errors.push(error),
            }
        }
        panic!("nginx does not start: {errors:#?}");
    }

    fn launch(nginx: &Daemon, formats: &[(&str, &str)]) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("floodmark-nginx-").tempdir().unwrap();
        let port = closed_port();
        let logs = formats.iter().map(|(name, _)| folder.path().join(format!("{name}.log")));
        let logs: Vec<PathBuf> = logs.collect();
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(port, formats)).unwrap();
        let mut command = nginx.command();
        // Without `-e` it opens the log that was compiled in before it reads the configuration.
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let mut process = Running::start(&mut command);
        // Written once it listens.
        let pid = folder.path().join("nginx.pid");
        let is_ready = |_: &Running| fs::metadata(&pid).is_ok_and(|file| file.len() > 0);
        if process.until_or_end("nginx listens", PATIENCE, is_ready) {
            Ok(Self { process, port, logs, _folder: folder })
        } else {
            Err(process.stderr().to_owned())
        }
    }

    /// The log of the format with this index.
    pub fn log(&self, format: usize) -> &Path {
        &self.logs[format]
    }

    /// Sends bytes over a connection of their own and waits until nginx has closed it.
    pub fn send(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // nginx may refuse and close before it has read everything: its log tells what became of the request.
        stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write)).ok();
        stream.read_to_end(&mut Vec::new()).ok();
    }

    /// Waits until every log has this many lines.
    pub fn until_logged(&mut self, lines: usize) {
        let logs = &self.logs;
        let ends = |log: &PathBuf| fs::read(log).unwrap().split(|byte| *byte == b'\n').count() - 1;
        let what = format!("{lines} lines in each log");
        self.process.until(&what, PATIENCE, |_| logs.iter().all(|log| ends(log) == lines));
    }
}

/// One process without workers, which would outlive a master that is killed; nothing outside its prefix.
fn configuration(port: u16, formats: &[(&str, &str)]) -> String {
    let mut logs = String::new();
    for (name, text) in formats {
        if !text.is_empty() {
            writeln!(logs, "  log_format {name} {text};").unwrap();
        }
        writeln!(logs, "  access_log {name}.log {name};").unwrap();
    }
    for what in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(logs, "  {what}_temp_path {what};").unwrap();
    }
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr crit;\n\
         events {{ worker_connections 64; }}\n\
         http {{\n{logs}  server {{\n    listen 127.0.0.1:{port};\n    server_name shop.example;\n    \
         location / {{ return 200 \"ok\\n\"; }}\n    location /gone {{ return 404; }}\n  }}\n}}\n"
    )
}
