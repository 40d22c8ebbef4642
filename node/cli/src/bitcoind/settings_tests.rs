use super::*;

fn parse(arguments: &[&str]) -> Result<Settings> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    Settings::parse(&arguments)
}

fn settings(arguments: &[&str], file: &[(&str, &str)]) -> Settings {
    let mut settings = parse(arguments).unwrap();
    for (name, value) in file {
        settings.add_from_file(name, value).unwrap();
    }
    settings.select_network("regtest");
    settings
}

#[test]
fn a_command_line_says_what_it_says() {
    let given = settings(
        &["-txindex", "--par=3", "-nolisten", "-prune=x", "-nopid=0"],
        &[],
    );
    assert_eq!(given.switch("txindex"), Some(true));
    assert_eq!(given.number("par"), Some(3));
    assert_eq!(given.switch("listen"), Some(false));
    assert_eq!(given.number("prune"), Some(0));
    assert_eq!(given.text("pid").as_deref(), Some("1"));
    assert_eq!(given.switch("server"), None);
    // A word is no switch: its number is 0.
    assert_eq!(
        settings(&["-server=true"], &[]).switch("server"),
        Some(false)
    );
    assert_eq!(settings(&["-server=1x"], &[]).switch("server"), Some(true));
}

#[test]
fn bad_arguments_have_bitcoin_cores_errors() {
    for (arguments, error) in [
        (&["-foo"][..], "Invalid parameter -foo"),
        (&["--foo=bar"], "Invalid parameter --foo=bar"),
        (&["-regtest", "-nofoo"], "Invalid parameter -nofoo"),
        (&["-regtest.port=1"], "Invalid parameter -regtest.port=1"),
        (
            &["-nodatadir"],
            "Negating of -datadir is meaningless and therefore forbidden",
        ),
        (
            &["-proxy"],
            "Can not set -proxy with no value. Please specify value with -proxy=value.",
        ),
        (
            &["-includeconf=a.conf"],
            "-includeconf cannot be used from commandline; -includeconf=\"a.conf\"",
        ),
    ] {
        assert_eq!(parse(arguments).unwrap_err().to_string(), error);
    }
    parse(&["-noincludeconf"]).unwrap();
    // What follows a word is no parameter any more.
    parse(&["word", "-foo"]).unwrap();
}

#[test]
fn the_last_argument_holds_and_the_first_line_of_a_file() {
    let given = settings(
        &["-par=1", "-par=2"],
        &[("par", "3"), ("dbcache", "4"), ("dbcache", "5")],
    );
    assert_eq!(given.number("par"), Some(2));
    assert_eq!(given.number("dbcache"), Some(4));
    assert_eq!(
        settings(&["-par=1", "-nopar", "-par=2"], &[]).number("par"),
        Some(2)
    );
    assert!(settings(&["-par=1", "-nopar"], &[("par", "3")]).is_negated("par"));
}

#[test]
fn a_section_holds_for_its_chain() {
    let file = [
        ("main.dbcache", "1"),
        ("dbcache", "2"),
        ("regtest.dbcache", "3"),
        ("regtest.rpcport", "7"),
        ("rpcport", "8"),
    ];
    let given = settings(&[], &file);
    assert_eq!(given.number("dbcache"), Some(3));
    assert_eq!(given.number("rpcport"), Some(7));
    assert!(given.in_wrong_section().is_empty());
}

#[test]
fn what_is_for_one_chain_is_not_taken_from_the_beginning_of_a_file() {
    let mut given = settings(&[], &[("rpcport", "8"), ("addnode", "a"), ("par", "1")]);
    assert_eq!(given.number("rpcport"), None);
    assert_eq!(given.list("addnode"), [""; 0]);
    let wrong: Vec<_> = given.in_wrong_section().into_iter().collect();
    assert_eq!(wrong, ["addnode", "rpcport"]);
    // The command line says enough.
    let said = settings(&["-rpcport=1"], &[("rpcport", "8")]);
    assert!(said.in_wrong_section().is_empty());
    given.select_network("main");
    assert_eq!(given.number("rpcport"), Some(8));
    assert!(given.in_wrong_section().is_empty());
}

#[test]
fn lists_are_added_up_until_a_negation() {
    let given = settings(
        &["-debug=a", "-debug=b"],
        &[("debug", "c"), ("regtest.debug", "d")],
    );
    assert_eq!(given.list("debug"), ["a", "b", "d", "c"]);
    let negated = settings(&["-debug=a", "-nodebug"], &[("debug", "c")]);
    assert_eq!(negated.list("debug"), [""; 0]);
    // What follows a negation lets the file's values in again.
    let after = settings(&["-nodebug", "-debug=b"], &[("debug", "c")]);
    assert_eq!(after.list("debug"), ["b", "c"]);
}

#[test]
fn what_is_implied_is_said_by_nobody() {
    let mut given = settings(&["-listen=1"], &[]);
    given.imply("listen", "0");
    given.imply("dnsseed", "0");
    assert_eq!(given.switch("listen"), Some(true));
    assert_eq!(given.switch("dnsseed"), Some(false));
}

#[test]
fn numbers_are_what_a_text_begins_with() {
    for (text, number) in [
        ("12", 12),
        (" +12", 12),
        ("-3x", -3),
        ("x", 0),
        ("", 0),
        ("99999999999999999999", i64::MAX),
        ("-99999999999999999999", i64::MIN),
    ] {
        assert_eq!(leading_number(text), number, "{text}");
    }
}
