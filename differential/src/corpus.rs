//! Makes the exchanges of a run: every one from the seed of the run and its own number.

use std::path::Path;

use parapet::cli::{RegressionExchange, regression_exchanges};

use crate::benign;
use crate::exchange::{Exchange, Profile};
use crate::mutate;
use crate::random::Random;

/// What exchanges are made from.
pub struct Corpus {
    tests: Vec<RegressionExchange>,
    seed: u64,
}

impl Corpus {
    /// # Errors
    ///
    /// A text for people: the tests cannot be read.
    pub fn new(tests: &Path, seed: u64) -> Result<Self, String> {
        let mut tests = regression_exchanges(&[tests.to_owned()])?;
        // Large bodies cost time and show nothing that small ones do not.
        tests.retain(|test| test.request.body.len() + test.request.target.len() < 20_000);
        if tests.is_empty() {
            return Err("there are no tests to start from".to_owned());
        }
        Ok(Self { tests, seed })
    }

    /// An exchange by its number.
    pub fn exchange(&self, index: u64) -> Exchange {
        let mut random = Random::new(self.seed, index);
        let random = &mut random;
        let profile = if random.chance(75) {
            Profile::Detecting
        } else {
            Profile::Blocking
        };
        let (origin, mut request, mut response) = if random.chance(45) {
            let test = &self.tests[random.below(self.tests.len())];
            (
                test.test.clone(),
                test.request.clone(),
                test.response.clone(),
            )
        } else {
            let (kind, request) = benign::request(random);
            (kind.to_owned(), request, None)
        };
        // A tenth stays as it is, broken only as far as it was.
        let times = [0, 1, 1, 1, 2, 2, 3, 3, 4, 6][random.below(10)];
        mutate::request(&mut request, times, random);
        if response.is_none() && random.chance(15) {
            response = Some(benign::response(random));
        }
        if let Some(response) = &mut response
            && random.chance(30)
        {
            mutate::response(response, random);
        }
        Exchange {
            origin: format!("#{index} {origin}"),
            profile,
            request,
            response,
        }
    }
}
