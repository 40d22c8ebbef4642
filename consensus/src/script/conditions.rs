//! The branches of `OP_IF` that are open while a script runs.

/// For each open `OP_IF` whether its branch is taken. Only the outermost one that is not taken can be
/// told apart, so its depth and the number of all of them are enough, and a script of nothing but
/// `OP_IF` costs no more than another.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    open: usize,
    first_untaken: Option<usize>,
}

impl Conditions {
    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Whether opcodes are executed.
    #[inline]
    pub(crate) fn all_taken(&self) -> bool {
        self.first_untaken.is_none()
    }

    /// `OP_IF`, with whether its first branch is taken.
    pub(crate) fn begin(&mut self, taken: bool) {
        if !taken && self.all_taken() {
            self.first_untaken = Some(self.open);
        }
        self.open += 1;
    }

    /// `OP_ELSE`; `None` when nothing is open.
    pub(crate) fn toggle(&mut self) -> Option<()> {
        let innermost = self.open.checked_sub(1)?;
        match self.first_untaken {
            None => self.first_untaken = Some(innermost),
            Some(first) if first == innermost => self.first_untaken = None,
            // Inside of a branch that is not taken it makes no difference.
            Some(_) => {}
        }
        Some(())
    }

    /// `OP_ENDIF`; `None` when nothing is open.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.open = self.open.checked_sub(1)?;
        if self.first_untaken == Some(self.open) {
            self.first_untaken = None;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Begin(bool),
        Toggle,
        End,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<bool>().prop_map(Step::Begin),
            Just(Step::Toggle),
            Just(Step::End),
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn is_like_a_list_of_booleans(steps in steps()) {
            let (mut conditions, mut list) = (Conditions::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Begin(taken) => {
                        conditions.begin(taken);
                        list.push(taken);
                    }
                    Step::Toggle => {
                        let toggled = list.last_mut().map(|last| *last = !*last);
                        prop_assert_eq!(conditions.toggle(), toggled);
                    }
                    Step::End => prop_assert_eq!(conditions.end(), list.pop().map(|_| ())),
                }
                prop_assert_eq!(conditions.is_empty(), list.is_empty());
                prop_assert_eq!(conditions.all_taken(), list.iter().all(|taken| *taken));
            }
        }
    }
}
