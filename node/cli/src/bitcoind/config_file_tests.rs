use super::*;

/// A data directory with these files, and the settings that come of it.
fn settings(
    arguments: &[&str],
    files: &[(&str, &str)],
) -> (tempfile::TempDir, Result<(Settings, ConfigFile)>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let mut all = vec![format!("-datadir={}", directory.path().display())];
    all.extend(arguments.iter().map(ToString::to_string));
    let mut settings = Settings::parse(&all).unwrap();
    let read = read_config_files(&mut settings).map(|file| (settings, file));
    (directory, read)
}

/// The error that a file's text is.
fn error(text: &str) -> String {
    let (_directory, read) = settings(&[], &[("bitcoin.conf", text)]);
    read.unwrap_err().to_string()
}

#[test]
fn lines_sections_and_comments_are_read() {
    let text = "# all\nserver=1\n regtest = 1 # on\n\n[regtest]\nrpcport=7\nmain.rpcport=6\n[main]\nrpcport=8\n[foo]\n";
    let (directory, read) = settings(&[], &[("bitcoin.conf", text)]);
    let (mut settings, file) = read.unwrap();
    let path = directory.path().join("bitcoin.conf");
    assert_eq!(file, ConfigFile::Read(path.clone()));
    assert_eq!(chain_name(&settings).unwrap(), "regtest");
    settings.select_network("regtest");
    assert_eq!(settings.text("rpcport").as_deref(), Some("7"));
    let names: Vec<&str> = settings
        .sections
        .iter()
        .map(|section| section.name.as_str())
        .collect();
    assert_eq!(names, ["regtest", "regtest.main", "main", "foo"]);
    let last = settings.sections.last().unwrap();
    assert_eq!(
        (last.line, last.file.as_str()),
        (10, path.to_str().unwrap())
    );
}

#[test]
fn bad_lines_have_bitcoin_cores_errors() {
    for (text, expected) in [
        ("server\n", "parse error on line 1: server"),
        (
            "\nnolisten\n",
            "parse error on line 2: nolisten, if you intended to specify a negated option, use nolisten=1 instead",
        ),
        (
            "-server=1\n",
            "parse error on line 1: -server=1, options in configuration file must be specified without leading -",
        ),
        (
            "rpcpassword=a#b\n",
            "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided",
        ),
        (
            "conf=a\n",
            "conf cannot be set in the configuration file; use includeconf= if you want to include additional config files",
        ),
        (
            "nodatadir=1\n",
            "Negating of -datadir is meaningless and therefore forbidden",
        ),
        (
            "includeconf=none.conf\n",
            "Failed to include configuration file none.conf",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn a_setting_that_nobody_knows_is_left_out() {
    let (_directory, read) = settings(&[], &[("bitcoin.conf", "foo=1\npar=2\n")]);
    assert_eq!(read.unwrap().0.number("par"), Some(2));
}

#[test]
fn files_are_included_once_deep() {
    let files = [
        (
            "bitcoin.conf",
            "regtest=1\nincludeconf=a.conf\n[regtest]\nincludeconf=b.conf\n",
        ),
        (
            "a.conf",
            "par=3\nincludeconf=c.conf\n[main]\nincludeconf=c.conf\n",
        ),
        ("b.conf", "dbcache=5\n"),
        ("c.conf", "maxmempool=7\n"),
    ];
    let (_directory, read) = settings(&[], &files);
    let (settings_of_all, _) = read.unwrap();
    assert_eq!(settings_of_all.number("par"), Some(3));
    assert_eq!(settings_of_all.number("dbcache"), Some(5));
    assert_eq!(settings_of_all.number("maxmempool"), None);
    let (_directory, read) = settings(&["-noincludeconf"], &files);
    assert_eq!(read.unwrap().0.number("par"), None);
}

#[test]
fn the_file_can_be_named_or_left_out() {
    let (_directory, read) = settings(&["-noconf"], &[("bitcoin.conf", "par=2\n")]);
    let (without, file) = read.unwrap();
    assert_eq!((without.number("par"), file), (None, ConfigFile::Off));
    let (_directory, read) = settings(&["-conf=x"], &[("x", "par=4\n")]);
    assert_eq!(read.unwrap().0.number("par"), Some(4));
    let (directory, read) = settings(&["-conf=x"], &[]);
    let path = directory.path().join("x");
    assert_eq!(
        read.unwrap_err().to_string(),
        format!(
            "specified config file \"{}\" could not be opened.",
            path.display()
        )
    );
    let (directory, read) = settings(&["-conf=."], &[]);
    assert_eq!(
        read.unwrap_err().to_string(),
        format!(
            "Config file \"{}\" is a directory.",
            directory.path().join(".").display()
        )
    );
    let (_directory, read) = settings(&[], &[]);
    assert!(matches!(read.unwrap().1, ConfigFile::Missing(_)));
}
