//! What is installed: the package, its unit, pages and completions; rules for Prometheus.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::floodmark::binary;
use tests::skip::{Missing, or_skip};
use tests::{Floodmark, pages, workspace};

/// Runs a tool that the machine may lack.
fn tool(command: &mut Command) -> Result<Output, Missing> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().map_err(|error| Missing(format!("{name} missing: {error}")))
}

fn expect_success(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    said + &complained
}

/// The package, unpacked.
fn unpack(folder: &Path) -> Result<PathBuf, Missing> {
    let root = folder.join("root");
    let script = workspace::root().join("deploy/debian/build");
    tool(Command::new("dpkg-deb").arg("--version"))?;
    let built = tool(Command::new(script).arg(binary()).arg(folder))?;
    expect_success(&built);
    let package = String::from_utf8_lossy(&built.stdout).trim().to_owned();
    assert!(Path::new(&package).is_file(), "{package}");
    expect_success(&tool(Command::new("dpkg-deb").args(["--info", &package]))?);
    expect_success(&tool(Command::new("dpkg-deb").args(["-x", &package]).arg(&root))?);
    Ok(root)
}

#[test]
fn the_package_holds_what_a_machine_needs() {
    let folder = tempfile::tempdir().unwrap();
    let Some(root) = or_skip(unpack(folder.path())) else { return };
    let version = expect_success(
        &Command::new(root.join("usr/bin/floodmark")).arg("--version").output().unwrap(),
    );
    assert!(version.starts_with("floodmark "), "{version}");

    // README and docs lie there as they do here, so that links between them lead somewhere.
    for page in pages::all() {
        let packed = root.join("usr/share/doc/floodmark").join(&page.name);
        assert!(packed.is_file(), "{}", packed.display());
    }

    // The settings as they are packed are settings.
    let config = root.join("etc/floodmark/floodmark.toml");
    let run = ["run", "--config", config.to_str().unwrap(), "--commit-interval", "0s"];
    let refused = Floodmark::new(run).output().expect_status(2);
    refused.expect_stderr(&["--commit-interval must be longer"]);

    let pages = root.join("usr/share/man/man1");
    for page in ["floodmark.1.gz", "floodmark-run.1.gz", "floodmark-scan.1.gz"] {
        let page = pages.join(page);
        let Some(shown) = or_skip(tool(
            Command::new("man").arg("-l").arg(&page).env("MANROFFSEQ", "").env("LC_ALL", "C.UTF-8"),
        )) else {
            return;
        };
        let shown = expect_success(&shown);
        assert!(shown.contains("SYNOPSIS"), "{}\n{shown}", page.display());
    }

    // Completions, used: `floodmark run --lis` has one end.
    let script = root.join("usr/share/bash-completion/completions/floodmark");
    let complete = "source \"$1\"; COMP_WORDS=(floodmark run --lis); COMP_CWORD=2; COMP_LINE='floodmark run --lis'; \
                    _floodmark floodmark --lis run; echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash").args(["-c", complete, "bash"]).arg(script).output().unwrap();
    assert_eq!(expect_success(&bash).trim(), "--listen");

    // The unit, with the program where it will be.
    let unit = std::fs::read_to_string(root.join("lib/systemd/system/floodmark.service")).unwrap();
    let unit = unit.replace("/usr/bin/floodmark", root.join("usr/bin/floodmark").to_str().unwrap());
    let at = folder.path().join("floodmark.service");
    std::fs::write(&at, unit.replace("man:floodmark-run(1)", "https://example.com")).unwrap();
    let Some(verified) = or_skip(tool(Command::new("systemd-analyze").arg("verify").arg(&at)))
    else {
        return;
    };
    let said = expect_success(&verified);
    assert!(!said.contains("floodmark.service:"), "{said}");
}

#[test]
fn rules_for_prometheus_are_sound_and_name_what_there_is() {
    let rules = workspace::root().join("deploy/prometheus");
    let checks = [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]];
    for check in checks {
        let mut promtool = Command::new("promtool");
        let Some(said) = or_skip(tool(promtool.args(check).current_dir(&rules))) else { return };
        expect_success(&said);
    }
    assert_metrics(&std::fs::read_to_string(rules.join("alerts.yml")).unwrap());
}

/// Passes when `text` names metrics, and none that `docs/metrics.md` does not list.
pub(crate) fn assert_metrics(text: &str) {
    let page = std::fs::read_to_string(workspace::root().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<&str> = rows.filter_map(|row| row.split(['`', '{']).next()).collect();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = text.split(|c| !is_part(c)).filter(|word| word.starts_with("floodmark_"));
    let named: Vec<&str> = named.collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(listed.contains(&name), "{name}");
    }
}
