//! `bitcoin.conf`: its lines, sections and included files, with Bitcoin Core's errors.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::chain::chain_name;
use super::directory::base_directory;
use super::settings::{Section, Settings};

/// The largest file that is read: a configuration is a page of text.
const MAX_BYTES: u64 = 16 << 20;

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A configuration file as it is in use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigFile {
    /// `-noconf`.
    Off,
    /// It was read.
    Read(PathBuf),
    /// It is not there, which is no error.
    Missing(PathBuf),
}

/// Reads the configuration file that the command line names, or the one in the data directory, and the files that it includes.
///
/// # Errors
/// Bitcoin Core's, without what it puts in front.
pub(crate) fn read_config_files(settings: &mut Settings) -> Result<ConfigFile> {
    if settings.is_negated("conf") {
        return Ok(ConfigFile::Off);
    }
    let named = settings.text("conf").filter(|name| !name.is_empty());
    let base = base_directory(settings)?;
    let path = base.join(named.as_deref().unwrap_or("bitcoin.conf"));
    if path.is_dir() {
        bail!("Config file \"{}\" is a directory.", path.display());
    }
    let Ok(text) = read(&path) else {
        if settings.is_set("conf") {
            bail!(
                "specified config file \"{}\" could not be opened.",
                path.display()
            );
        }
        return Ok(ConfigFile::Missing(path));
    };
    add_lines(settings, &text, &path.display().to_string())?;
    if !settings.includes_are_off() {
        include(settings, &base)?;
    }
    // The file may say where the data directory is.
    let named = settings.text("datadir").unwrap_or_default();
    if !named.is_empty() && !Path::new(&named).is_dir() {
        bail!("specified data directory \"{named}\" does not exist.");
    }
    Ok(ConfigFile::Read(path))
}

/// Reads the files that the chain's section and the file's beginning include. Those include no others.
fn include(settings: &mut Settings, base: &Path) -> Result<()> {
    let chain = chain_name(settings)?;
    let (mut files, of_chain) = settings.includes(&chain, 0);
    let (more, of_all) = settings.includes("", 0);
    files.extend(more);
    for file in files {
        let path = base.join(&file);
        if path.is_dir() {
            bail!(
                "Included config file \"{}\" is a directory.",
                path.display()
            );
        }
        let Ok(text) = read(&path) else {
            bail!("Failed to include configuration file {file}");
        };
        add_lines(settings, &text, &file)?;
    }
    let (mut nested, _) = settings.includes(&chain, of_chain);
    nested.extend(settings.includes("", of_all).0);
    let chain_now = chain_name(settings)?;
    if chain_now != chain {
        nested.extend(settings.includes(&chain_now, 0).0);
    }
    for file in nested {
        eprintln!(
            "warning: -includeconf cannot be used from included files; ignoring -includeconf={file}"
        );
    }
    Ok(())
}

fn read(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(std::io::Error::other("too large"));
    }
    let bytes = fs::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Adds the settings of a file's text; `file` is what sections are reported with.
fn add_lines(settings: &mut Settings, text: &str, file: &str) -> Result<()> {
    let mut found = Vec::new();
    let mut prefix = String::new();
    for (line, number) in text.lines().zip(1..) {
        let (content, has_comment) = match line.split_once('#') {
            Some((content, _)) => (content, true),
            None => (line, false),
        };
        let content = content.trim_matches(SPACE);
        let mut met = |name: &str| {
            settings.sections.push(Section {
                name: name.to_owned(),
                file: file.to_owned(),
                line: number,
            });
        };
        if content.is_empty() {
            continue;
        }
        if let Some(section) = content
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            met(section);
            prefix = format!("{section}.");
        } else if content.starts_with('-') {
            bail!(
                "parse error on line {number}: {content}, options in configuration file must be specified without \
                 leading -"
            );
        } else if let Some((name, value)) = content.split_once('=') {
            let name = format!("{prefix}{}", name.trim_matches(SPACE));
            if has_comment && name.contains("rpcpassword") {
                bail!(
                    "parse error on line {number}, using # in rpcpassword can be ambiguous and should be avoided"
                );
            }
            if let Some(dot) = name.rfind('.').filter(|dot| prefix.len() <= *dot) {
                met(&name[..dot]);
            }
            found.push((name, value.trim_matches(SPACE).to_owned()));
        } else {
            let hint = if content.starts_with("no") {
                format!(", if you intended to specify a negated option, use {content}=1 instead")
            } else {
                String::new()
            };
            bail!("parse error on line {number}: {content}{hint}");
        }
    }
    for (name, value) in found {
        settings.add_from_file(&name, &value)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
