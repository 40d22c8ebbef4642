//! The form of packages.

use pyrite_consensus::bitcoin::Transaction;

use super::package::{check_child_with_parents, check_package};
use crate::PackageError;
use crate::testing::{Bench, open_transaction, output_of};

#[test]
fn a_package_is_sorted_without_duplicates_and_conflicts() {
    let mut bench = Bench::new();
    let parent = bench.paying(1_000);
    let child = open_transaction(&[output_of(&parent, 0)], &[900_000]);
    let rival = open_transaction(&[output_of(&parent, 0)], &[800_000]);
    assert_eq!(check_package(&[&parent, &child]), Ok(()));
    assert_eq!(
        check_package(&[&parent, &parent]),
        Err(PackageError::ContainsDuplicates)
    );
    assert_eq!(
        check_package(&[&child, &parent]),
        Err(PackageError::NotSorted)
    );
    assert_eq!(
        check_package(&[&parent, &child, &rival]),
        Err(PackageError::Conflict)
    );
    let mut twice = child.clone();
    twice.input.push(twice.input[0].clone());
    assert_eq!(check_package(&[&parent, &twice]), Ok(()));

    assert_eq!(check_child_with_parents(&[&parent, &child]), Ok(()));
    let stranger = bench.paying(1_000);
    assert_eq!(
        check_child_with_parents(&[&parent, &stranger, &child]),
        Err(PackageError::NotChildWithParents)
    );
}

#[test]
fn a_package_is_bounded() {
    let mut bench = Bench::new();
    let many: Vec<Transaction> = (0..26).map(|_| bench.paying(1_000)).collect();
    let many: Vec<&Transaction> = many.iter().collect();
    assert_eq!(check_package(&many), Err(PackageError::TooManyTransactions));
    assert_eq!(check_package(&many[1..]), Ok(()));
    let coins = [(); 2].map(|()| bench.fund(1_000_000));
    // 32 bytes an output, four weight units each.
    let large = coins.map(|coin| open_transaction(&[coin], &[1_000; 1_600]));
    assert_eq!(check_package(&[&large[0]]), Ok(()));
    assert_eq!(
        check_package(&[&large[0], &large[1]]),
        Err(PackageError::TooLarge)
    );
}
