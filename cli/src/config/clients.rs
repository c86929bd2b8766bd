//! Who is trusted to name clients, where clients belong, how much of their addresses is kept, who is never judged.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use decode::ClientsConfig;
use decode::identity::{AllowList, AllowedAgent, Level, Privacy};
use schemas::{NetworkError, Networks};
use serde::Deserialize;

use super::{File, UsageError};
use crate::args::ClientArgs;

/// How much of a client's address is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anonymise {
    /// All of it.
    None,
    /// IPv4 /24, IPv6 /64.
    Low,
    /// IPv4 /16, IPv6 /32.
    Medium,
    /// IPv4 /8, IPv6 /16.
    High,
    /// A pseudonym that keeps common prefixes; needs a key.
    Pseudonym,
}

/// `[allow]`: who is never judged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Allow {
    networks: Vec<String>,
    networks_file: Option<PathBuf>,
    asns: Vec<u32>,
    agents: Vec<Agent>,
}

/// `[[allow.agents]]`: a user agent, believed from its own networks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are the keys of the file")]
struct Agent {
    user_agent: String,
    #[serde(default)]
    networks: Vec<String>,
    networks_file: Option<PathBuf>,
}

/// The allow-list of the file.
///
/// # Errors
/// [`UsageError`] when a network cannot be read, or a user agent has none.
fn allow(file: &File) -> Result<AllowList, UsageError> {
    let allow = &file.allow;
    let agent = |agent: &Agent| {
        let networks =
            networks("[[allow.agents]]", &agent.networks, agent.networks_file.as_deref())?;
        if networks.is_empty() || agent.user_agent.is_empty() {
            return Err(UsageError::new(format!(
                "[[allow.agents]] `{}` needs a user agent and the networks it comes from: anybody can send its name",
                agent.user_agent
            )));
        }
        Ok(AllowedAgent { contains: agent.user_agent.clone(), networks })
    };
    Ok(AllowList {
        networks: networks("[allow]", &allow.networks, allow.networks_file.as_deref())?,
        asns: allow.asns.clone(),
        agents: allow.agents.iter().map(agent).collect::<Result<_, _>>()?,
    })
}

/// What is known of clients besides the lines.
///
/// # Errors
/// [`UsageError`] when a network, a list of them or the key cannot be read, or an allowed user agent has no network.
pub fn clients(args: &ClientArgs, file: &File) -> Result<ClientsConfig, UsageError> {
    let trusted =
        if args.trusted_proxy.is_empty() { &file.trusted_proxies } else { &args.trusted_proxy };
    let list = args.trusted_proxies_file.as_deref().or(file.trusted_proxies_file.as_deref());
    let key_file = args.anonymise_key_file.as_deref().or(file.anonymise_key_file.as_deref());
    Ok(ClientsConfig {
        trusted_proxies: networks("trusted-proxies", trusted, list)?,
        privacy: privacy(args.anonymise.or(file.anonymise), key_file)?,
        allow: allow(file)?,
    })
}

/// The MMDB files that are asked.
pub fn databases(args: ClientArgs, file: &File) -> Vec<PathBuf> {
    if args.mmdb.is_empty() { file.mmdb.clone() } else { args.mmdb }
}

fn privacy(anonymise: Option<Anonymise>, key_file: Option<&Path>) -> Result<Privacy, UsageError> {
    let level = match (anonymise.unwrap_or(Anonymise::None), key_file) {
        (Anonymise::Pseudonym, Some(file)) => {
            let text = read(file, "the key")?;
            let key = text.parse().map_err(|error| {
                UsageError::new(format!("the key in {}: {error}", file.display()))
            })?;
            return Ok(Privacy::Pseudonymise(key));
        }
        (Anonymise::Pseudonym, None) => {
            return Err(UsageError::new(
                "--anonymise pseudonym needs --anonymise-key-file; make one with `openssl rand -hex 32 > key`",
            ));
        }
        (Anonymise::None, _) => return Ok(Privacy::Keep),
        (Anonymise::Low, _) => Level::Low,
        (Anonymise::Medium, _) => Level::Medium,
        (Anonymise::High, _) => Level::High,
    };
    Ok(Privacy::Truncate(level))
}

/// Networks given one by one and in a file.
fn networks(what: &str, given: &[String], file: Option<&Path>) -> Result<Networks, UsageError> {
    let wrong = |error: NetworkError| UsageError::new(format!("{what}: {error}"));
    let given = Networks::parse(given).map_err(wrong)?;
    let Some(file) = file else { return Ok(given) };
    let listed = Networks::parse_list(&read(file, "the networks")?)
        .map_err(|error| UsageError::new(format!("{what}: {}: {error}", file.display())))?;
    Ok(given.union(listed))
}

fn read(file: &Path, what: &str) -> Result<String, UsageError> {
    fs::read_to_string(file).map_err(|error| {
        UsageError::new(format!("cannot read {what} in {}: {error}", file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        toml::from_str(text).unwrap()
    }

    fn error(result: Result<impl std::fmt::Debug, UsageError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn the_command_line_replaces_the_file() {
        let file = file("trusted-proxies = ['10.0.0.0/8']\nmmdb = ['a.mmdb']\nanonymise = 'low'");
        let config = clients(&ClientArgs::default(), &file).unwrap();
        assert!(config.trusted_proxies.contains("10.1.1.1".parse().unwrap()));
        assert_eq!(databases(ClientArgs::default(), &file), [PathBuf::from("a.mmdb")]);
        assert_eq!(config.privacy, Privacy::Truncate(Level::Low));
        let args = ClientArgs {
            trusted_proxy: vec!["192.0.2.1".into()],
            anonymise: Some(Anonymise::None),
            ..ClientArgs::default()
        };
        let config = clients(&args, &file).unwrap();
        assert!(!config.trusted_proxies.contains("10.1.1.1".parse().unwrap()));
        assert_eq!(config.privacy, Privacy::Keep);
    }

    #[test]
    fn errors_say_where_and_what() {
        let config = file("trusted-proxies = ['10.0.0.0/33']");
        let said = error(clients(&ClientArgs::default(), &config));
        assert!(said.starts_with("trusted-proxies: `10.0.0.0/33` is no network"), "{said}");
        let said = error(clients(&ClientArgs::default(), &file("anonymise = 'pseudonym'")));
        assert!(said.contains("--anonymise-key-file"), "{said}");
        let said = error(allow(&file("[[allow.agents]]\nuser-agent = 'Examplebot'")));
        assert!(said.contains("`Examplebot` needs"), "{said}");
        let said = error(allow(&file("[allow]\nnetworks-file = '/no/such/file'")));
        assert!(said.contains("/no/such/file"), "{said}");
    }

    #[test]
    fn a_key_comes_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, "00".repeat(16) + &"11".repeat(16) + "\n").unwrap();
        let keyed = |key: &Path| privacy(Some(Anonymise::Pseudonym), Some(key));
        assert!(matches!(keyed(&key), Ok(Privacy::Pseudonymise(_))));
        fs::write(&key, "secret").unwrap();
        assert!(error(keyed(&key)).contains("64 hexadecimal digits"));
    }
}
