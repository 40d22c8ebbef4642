//! The assembly is what the generator writes, and it hashes right.

use proptest::prelude::*;

use super::emit::{Registers, STREAMS, Step, kernel};
use super::instruction::{Gpr, Instruction};
use super::interpreter::Machine;
use crate::PreparedHeader;
use crate::device::cpu::sha_ni::assembly::{
    CONSTANTS, Constants, HeaderTable, Schedule, VersionTable,
};
use crate::device::cpu::tests::{any_header, top_word};

const KERNELS: [(Step, Registers, &str, &str); 4] = [
    (
        Step::Rolled,
        Registers::Sixteen,
        "rolled_16.s",
        include_str!("../rolled_16.s"),
    ),
    (
        Step::Rolled,
        Registers::ThirtyTwo,
        "rolled_32.s",
        include_str!("../rolled_32.s"),
    ),
    (
        Step::Plain,
        Registers::Sixteen,
        "plain_16.s",
        include_str!("../plain_16.s"),
    ),
    (
        Step::Plain,
        Registers::ThirtyTwo,
        "plain_32.s",
        include_str!("../plain_32.s"),
    ),
];

fn text(program: &[Instruction]) -> String {
    let lines = program.iter().map(|instruction| format!("{instruction}\n"));
    format!(
        "# Written by `generator`; PYRITE_WRITE_ASSEMBLY=1 writes it anew in its test.\n{}",
        lines.collect::<String>()
    )
}

#[test]
fn the_assembly_is_what_the_generator_writes() {
    for (step, registers, name, kept) in KERNELS {
        let written = text(&kernel(step, registers));
        if std::env::var_os("PYRITE_WRITE_ASSEMBLY").is_some() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/device/cpu/sha_ni/");
            std::fs::write(format!("{folder}{name}"), &written).unwrap();
            continue;
        }
        assert!(
            written == kept,
            "{name} is out of date: run this test with PYRITE_WRITE_ASSEMBLY=1"
        );
    }
}

/// The tables in memory.
#[expect(
    unsafe_code,
    reason = "tables are looked at as the assembly looks at them"
)]
fn bytes<T: Copy>(tables: &[T]) -> Vec<u8> {
    let length = std::mem::size_of_val(tables);
    // SAFETY: the tables are made of 32-bit words without gaps.
    unsafe { std::slice::from_raw_parts(tables.as_ptr().cast::<u8>(), length) }.to_vec()
}

fn machine(constants: &Constants, results: usize) -> (Machine, usize) {
    let mut machine = Machine::new();
    machine.lay(Gpr::Constants, &bytes(std::slice::from_ref(constants)));
    let results = machine.lay(Gpr::Results, &vec![0; results * 4]);
    (machine, results)
}

fn check_rolled(program: &[Instruction], header: &PreparedHeader, first: u32) {
    let (nonces, versions) = (2_usize, usize::from(header.versions()));
    let groups = versions.div_ceil(STREAMS);
    let tables = VersionTable::all(header);
    let schedules: Vec<Schedule> = (0..=nonces)
        .map(|n| Schedule::plain(header, first.wrapping_add(n as u32)))
        .collect();
    let steps = nonces * groups + 1;
    let (mut machine, results) = machine(&CONSTANTS, steps * STREAMS);
    machine.lay(Gpr::Nonces, &bytes(&schedules));
    machine.lay(Gpr::Versions, &bytes(&tables));
    machine.set(Gpr::Groups, groups);
    machine.set(Gpr::Steps, steps);
    machine.run(program);
    for n in 0..nonces {
        for version in 0..versions {
            let place = STREAMS * (1 + n * groups) + version;
            let expected = top_word(header, version as u16, first.wrapping_add(n as u32));
            assert_eq!(machine.word(results + 4 * place), expected);
        }
    }
}

fn check_plain(program: &[Instruction], header: &PreparedHeader, first: u32) {
    let steps = 4;
    let nonces: Vec<u32> = (0..steps * STREAMS)
        .map(|n| first.wrapping_add(n as u32).swap_bytes())
        .collect();
    let (mut machine, results) = machine(&CONSTANTS, steps * STREAMS);
    machine.lay(Gpr::Nonces, &bytes(&nonces));
    machine.lay(Gpr::Versions, &bytes(&[HeaderTable::new(header, 0)]));
    machine.set(Gpr::Steps, steps);
    machine.run(program);
    for n in 0..(steps - 1) * STREAMS {
        let expected = top_word(header, 0, first.wrapping_add(n as u32));
        assert_eq!(machine.word(results + 4 * (n + STREAMS)), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn kernels_hash_right_instruction_by_instruction(header in any_header(), first in any::<u32>()) {
        let header = PreparedHeader::with_versions(&header, 7);
        for (step, registers, _, _) in KERNELS {
            let program = kernel(step, registers);
            match step {
                Step::Rolled => check_rolled(&program, &header, first),
                Step::Plain => check_plain(&program, &header, first),
            }
        }
    }
}
