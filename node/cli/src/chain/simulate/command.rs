//! Arguments of `pyrite chain simulate`, and its output.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use pyrite_consensus::ChainSpec;
use pyrite_consensus::spec::Difficulty;
use pyrite_node::load_chain_spec;
use serde_json::json;

use super::plot::{self, Chart};
use super::profile::{Phase, Profile};
use super::report::{figures, table_head, table_rows, to_json};
use super::run::{Setting, SimulatedBlock, expected_hashes, run};

/// Fewer tell nothing, and each phase must have some.
const MIN_BLOCKS: i64 = 20;
/// More would fill the memory, and the time that a header can have.
const MAX_BLOCKS: i64 = 1_000_000;

/// Arguments of `pyrite chain simulate`.
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// A built-in chain, or the path of a spec
    #[arg(value_name = "SPEC")]
    spec: String,
    /// How the hash power changes; several with commas between them, or all
    #[arg(
        long,
        value_name = "PROFILE",
        value_delimiter = ',',
        default_value = "all"
    )]
    hashrate: Vec<Choice>,
    /// The base hash power, in hashes a second [default: what gives the spec's spacing at its start difficulty]
    #[arg(long, value_name = "H/S", value_parser = positive)]
    base_hashrate: Option<f64>,
    /// How many times more or less hash power the profiles change to
    #[arg(long, value_name = "X", default_value = "10", value_parser = above_one)]
    factor: f64,
    /// How many blocks are mined
    #[arg(
        long,
        value_name = "N",
        default_value = "12000",
        value_parser = clap::value_parser!(u32).range(MIN_BLOCKS..=MAX_BLOCKS)
    )]
    blocks: u32,
    /// The seed of the random block times: the same seed gives the same figures
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Draw the spacing and the difficulty into this file, .svg or .png; of one profile
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A profile, or all of them.
#[derive(Clone, Copy, Debug)]
enum Choice {
    One(Profile),
    All,
}

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::One(Profile::Steady),
            Self::One(Profile::StepUp),
            Self::One(Profile::StepDown),
            Self::One(Profile::OnOff),
            Self::One(Profile::Ramp),
            Self::All,
        ]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::One(profile) => profile.to_possible_value(),
            Self::All => Some(clap::builder::PossibleValue::new("all").help("Each of them")),
        }
    }
}

/// Runs the simulations and prints their figures.
pub(in crate::chain) fn simulate(args: &SimulateArgs) -> Result<()> {
    let spec = load_chain_spec(&args.spec)?;
    let profiles = profiles(&args.hashrate);
    let format = args.plot.as_deref().map(plot::format_of).transpose()?;
    if args.plot.is_some() && profiles.len() != 1 {
        bail!("--plot draws one profile: choose it with --hashrate");
    }
    let hash_rate = args
        .base_hashrate
        .unwrap_or_else(|| natural_hash_rate(&spec));
    let mut table = table_head();
    let mut forms = Vec::new();
    for profile in profiles {
        let phases = profile.phases(args.blocks, args.factor);
        let blocks = run(&Setting {
            spec: &spec,
            hash_rate,
            phases: &phases,
            seed: args.seed,
        })?;
        let figures = figures(&phases, &blocks, f64::from(spec.target_spacing_s));
        table.push_str(&table_rows(profile, &figures));
        forms.push(to_json(profile, &figures));
        if let (Some(path), Some(format)) = (&args.plot, format) {
            let chart = chart(&spec, profile, &phases, &blocks);
            plot::draw(&chart, path, format).with_context(|| path.display().to_string())?;
        }
    }
    if args.json {
        let form = json!({
            "chain": spec.name,
            "difficulty": describe(&spec),
            "target_spacing_s": spec.target_spacing_s,
            "blocks": args.blocks,
            "factor": args.factor,
            "seed": args.seed,
            "profiles": forms,
        });
        println!("{form:#}");
    } else {
        println!(
            "{}: {}, {} s between blocks; {} blocks, factor {}, seed {}\n",
            spec.name,
            describe(&spec),
            spec.target_spacing_s,
            args.blocks,
            args.factor,
            args.seed
        );
        print!("{table}");
    }
    Ok(())
}

/// Each chosen profile once.
fn profiles(choices: &[Choice]) -> Vec<Profile> {
    let mut profiles = Vec::new();
    for choice in choices {
        let chosen = match choice {
            Choice::One(profile) => std::slice::from_ref(profile),
            Choice::All => Profile::value_variants(),
        };
        for profile in chosen {
            if !profiles.contains(profile) {
                profiles.push(*profile);
            }
        }
    }
    profiles
}

/// The hash power with which blocks of the genesis block's bits come as intended.
fn natural_hash_rate(spec: &ChainSpec) -> f64 {
    expected_hashes(&spec.genesis_block().header) / f64::from(spec.target_spacing_s)
}

/// The algorithm and its parameters, in a few words.
fn describe(spec: &ChainSpec) -> String {
    let mut text = match spec.difficulty {
        Difficulty::Asert { half_life_s, .. } => {
            format!("ASERT with a half-life of {half_life_s} s")
        }
        Difficulty::Lwma { window } => format!("LWMA-1 over {window} blocks"),
        Difficulty::Retarget {
            interval,
            bip94: false,
        } => format!("retarget every {interval} blocks"),
        Difficulty::Retarget {
            interval,
            bip94: true,
        } => format!("retarget every {interval} blocks with BIP-0094"),
        Difficulty::Fixed => "fixed difficulty".to_owned(),
    };
    if let Some(after_s) = spec.min_difficulty_after_s {
        text.push_str(&format!(", least difficulty after {after_s} s"));
    }
    text
}

fn chart<'a>(
    spec: &ChainSpec,
    profile: Profile,
    phases: &'a [Phase],
    blocks: &'a [SimulatedBlock],
) -> Chart<'a> {
    Chart {
        title: format!(
            "{}: {}, hash power {}",
            spec.name,
            describe(spec),
            profile.name()
        ),
        spacing_s: f64::from(spec.target_spacing_s),
        phases,
        blocks,
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("it must be above zero".to_owned())
    }
}

fn above_one(text: &str) -> Result<f64, String> {
    let number = positive(text)?;
    if number > 1.0 && number <= 1e6 {
        Ok(number)
    } else {
        Err("it must be above 1 and at most 1000000".to_owned())
    }
}
