//! Questions on a terminal instead of flags.

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use pyrite_consensus::ChainSpec;

use super::fields::{
    Algorithm, AllocationField, Fields, OrNever, allocation, hash_rate, number_or_never,
};

/// More in a row, and it isn't a person that answers.
const MAX_WRONG_ANSWERS: usize = 20;

/// Asks for what most people want to choose; the rest is the base chain's.
///
/// # Errors
/// The answers end, or nothing but wrong ones come.
pub(super) fn ask(
    base: &ChainSpec,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Fields> {
    let mut dialogue = Dialogue { input, output };
    dialogue.say("Enter takes what stands in brackets. `pyrite chain new --help` lists more that can be chosen.")?;
    let mut fields = Fields {
        name: Some(dialogue.answer("Name of the chain", "my-chain", name)?),
        ..Fields::default()
    };
    let spacing_s = base.target_spacing_s.to_string();
    let spacing_s = dialogue.answer("Seconds between blocks", &spacing_s, spacing)?;
    fields.spacing = Some(spacing_s);
    let question = "How the difficulty follows the hash power: asert, lwma, retarget or fixed";
    let algorithm = dialogue.answer(question, "asert", algorithm)?;
    fields.difficulty.difficulty = Some(algorithm);
    let question =
        "Hash power at the start, in hashes a second: a processor's core does a million or more";
    let start =
        dialogue.answer(
            question,
            "keep the base chain's start difficulty",
            |text| match text {
                "keep the base chain's start difficulty" => Ok(None),
                number => hash_rate(number).map(Some),
            },
        )?;
    fields.difficulty.start_hashrate = start;
    if algorithm != Algorithm::Fixed {
        let question = "Seconds after which a block may have the least difficulty, so that the chain moves when its \
                        miners have left, or never";
        let after = dialogue.answer(question, "never", |text| after(text, spacing_s))?;
        fields.difficulty.min_difficulty_after = Some(after);
    }
    dialogue.say("Coins from the start: an address (or a script in hex), = and an amount, such as ADDRESS=100.")?;
    while let Some(field) = dialogue.answer("Recipient", "no more", recipient)? {
        fields.genesis.allocations.push(field);
    }
    Ok(fields)
}

struct Dialogue<'a, R, W> {
    input: &'a mut R,
    output: &'a mut W,
}

impl<R: BufRead, W: Write> Dialogue<'_, R, W> {
    fn say(&mut self, text: &str) -> Result<()> {
        writeln!(self.output, "{text}").context("can't write to the terminal")
    }

    /// Asks until the answer is one; an empty answer is the default.
    fn answer<T>(
        &mut self,
        question: &str,
        default: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T> {
        for _ in 0..MAX_WRONG_ANSWERS {
            write!(self.output, "{question} [{default}]: ")
                .context("can't write to the terminal")?;
            self.output.flush().context("can't write to the terminal")?;
            let mut line = String::new();
            let count = self
                .input
                .read_line(&mut line)
                .context("can't read the answer")?;
            if count == 0 {
                bail!("the answers ended before the last question");
            }
            let text = match line.trim() {
                "" => default,
                text => text,
            };
            match read(text) {
                Ok(answer) => return Ok(answer),
                Err(error) => self.say(&format!("  {error}"))?,
            }
        }
        bail!("no usable answer after {MAX_WRONG_ANSWERS} tries")
    }
}

fn name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() <= 32 && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("1 to 32 characters of a-z, 0-9 and -".to_owned())
    }
}

fn spacing(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(seconds @ 1..=2_592_000) => Ok(seconds),
        _ => Err("a whole number of seconds from 1 to 2592000".to_owned()),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::from_str(text, true).map_err(|_| "asert, lwma, retarget or fixed".to_owned())
}

fn after(text: &str, spacing_s: u32) -> Result<OrNever, String> {
    match number_or_never(text)? {
        OrNever(Some(after_s)) if after_s <= spacing_s => {
            Err(format!("more than the {spacing_s} seconds between blocks"))
        }
        after => Ok(after),
    }
}

fn recipient(text: &str) -> Result<Option<AllocationField>, String> {
    if text == "no more" {
        return Ok(None);
    }
    allocation(text).map(Some)
}

#[cfg(test)]
mod tests {
    use pyrite_consensus::bitcoin::Amount;

    use super::*;

    fn answers(text: &str) -> (Result<Fields>, String) {
        let mut output = Vec::new();
        let fields = ask(&ChainSpec::pyrite(), &mut text.as_bytes(), &mut output);
        (fields, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn enter_takes_the_defaults() {
        let (fields, output) = answers("\n\n\n\n\n\n");
        let mut expected = Fields {
            name: Some("my-chain".to_owned()),
            spacing: Some(10),
            ..Fields::default()
        };
        expected.difficulty.difficulty = Some(Algorithm::Asert);
        expected.difficulty.min_difficulty_after = Some(OrNever(None));
        assert_eq!(fields.expect("all questions are answered"), expected);
        assert!(
            output.contains("Name of the chain [my-chain]: "),
            "{output}"
        );
    }

    #[test]
    fn wrong_answers_are_asked_again() {
        let text = "My Chain\nmine\n0\n60\nlottery\nLWMA\nfast\n2e6\n60\n600\nAA\n51=1.5\n52=2\n\n";
        let (fields, output) = answers(text);
        let fields = fields.expect("all questions are answered");
        assert_eq!(fields.name.as_deref(), Some("mine"));
        assert_eq!(fields.spacing, Some(60));
        assert_eq!(fields.difficulty.difficulty, Some(Algorithm::Lwma));
        assert_eq!(fields.difficulty.start_hashrate, Some(2e6));
        let after = fields.difficulty.min_difficulty_after;
        assert_eq!(after, Some(OrNever(Some(600))));
        let recipients: Vec<_> = fields
            .genesis
            .allocations
            .iter()
            .map(|field| (field.recipient.as_str(), field.value))
            .collect();
        let expected = [
            ("51", Amount::from_sat(150_000_000)),
            ("52", Amount::from_sat(200_000_000)),
        ];
        assert_eq!(recipients, expected);
        assert!(output.contains("more than the 60 seconds"), "{output}");
    }

    #[test]
    fn answers_that_end_are_an_error() {
        let (fields, _) = answers("mine\n60\n");
        let error = fields.expect_err("a question is left").to_string();
        assert!(error.contains("ended"), "{error}");
        let (fields, _) = answers(&"A B\n".repeat(100));
        let error = fields.expect_err("no name").to_string();
        assert!(error.contains("20 tries"), "{error}");
    }
}
