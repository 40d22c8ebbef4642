//! Shows a summary as tables.

use std::fmt::{self, Display, Formatter};

use pyrite_consensus::bitcoin::Opcode;

use super::content::Dialect;
use super::feature::Feature;
use super::opcodes::can_succeed;
use super::spend::Kind;
use super::summary::Summary;

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.show_opcodes(f)?;
        self.show_failures(f)?;
        self.show_kinds(f)?;
        self.show_features(f)?;
        let (reached, reachable) = self.executed_opcodes();
        let rows = [
            ("cases", self.cases),
            ("executions", self.executions),
            ("disagreements", self.objection_count),
            ("cases that keep all of policy", self.standard),
            ("opcodes executed in accepted spends", reached),
            ("  of those that can be", reachable),
        ];
        writeln!(f, "\nIn all")?;
        for (name, count) in rows {
            writeln!(f, "{name:<40}{count:>12}")?;
        }
        Ok(())
    }
}

impl Summary {
    fn show_opcodes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Scripts with each opcode, under every consensus rule")?;
        writeln!(
            f,
            "(executed: accepted, and the opcode is outside of branches)"
        )?;
        write!(f, "{:<20}", "")?;
        for name in ["legacy", "witness version 0", "tapscript"] {
            write!(f, "{name:>33}")?;
        }
        write!(f, "\n{:<20}", "opcode")?;
        for _ in Dialect::ALL {
            write!(f, "{:>13}{:>10}{:>10}", "scripts", "accepted", "executed")?;
        }
        writeln!(f)?;
        for opcode in 0..=u8::MAX {
            write!(f, "{:<20}", Opcode::from(opcode).to_string())?;
            for dialect in Dialect::ALL {
                let count = self.opcode(dialect, opcode);
                let (scripts, accepted) = (count.scripts, count.accepted);
                write!(f, "{scripts:>13}{accepted:>10}{:>10}", count.executed)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn show_failures(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<40}{:>12}", "Verdicts by name", "executions")?;
        for (name, count) in &self.failures {
            writeln!(f, "{name:<40}{count:>12}")?;
        }
        Ok(())
    }

    fn show_kinds(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let title = "Executions by kind of output";
        writeln!(f, "\n{title:<40}{:>12}{:>12}", "accepted", "refused")?;
        for kind in Kind::ALL {
            let tally = self.kinds.get(&kind).copied().unwrap_or_default();
            let (name, accepted) = (format!("{kind:?}"), tally.accepted);
            writeln!(f, "{name:<40}{accepted:>12}{:>12}", tally.refused)?;
        }
        Ok(())
    }

    fn show_features(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let title = "Cases under every consensus rule";
        writeln!(f, "\n{title:<40}{:>12}{:>12}", "accepted", "refused")?;
        for (feature, name) in Feature::NAMED {
            let tally = self.features.get(&feature).copied().unwrap_or_default();
            writeln!(f, "{name:<40}{:>12}{:>12}", tally.accepted, tally.refused)?;
        }
        Ok(())
    }

    /// How many opcodes were executed in accepted spends, and how many can be, each once for each dialect.
    fn executed_opcodes(&self) -> (u64, u64) {
        let all = Dialect::ALL
            .into_iter()
            .flat_map(|dialect| (0..=u8::MAX).map(move |opcode| (dialect, opcode)));
        let mut counts = (0, 0);
        for (dialect, opcode) in all.filter(|(dialect, opcode)| can_succeed(*dialect, *opcode)) {
            counts.0 += u64::from(self.opcode(dialect, opcode).executed > 0);
            counts.1 += 1;
        }
        counts
    }
}
