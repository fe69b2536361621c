//! The requests of a suite by themselves, for tools that make more requests from them.

use std::path::PathBuf;

use super::super::driver::Backend;
use super::super::message::{Request, Response};
use super::reflector::Reflector;
use super::{format, request};

/// The request of one stage, and the response that it asks of the backend.
#[derive(Clone, Debug)]
pub struct RegressionExchange {
    /// The test's id, such as `942100-3`.
    pub test: String,
    /// What a server reads of the bytes that go-ftw sends.
    pub request: Request,
    /// The answer; `None` if the stage does not care.
    pub response: Option<Response>,
}

/// Reads all requests of test files in go-ftw's format; see `parapet test`. Redirects are not
/// followed, and no cookies are saved.
///
/// # Errors
///
/// A text for people: which file cannot be read, or which test is broken.
pub fn regression_exchanges(paths: &[PathBuf]) -> Result<Vec<RegressionExchange>, String> {
    let mut found = Vec::new();
    for file in format::load(paths)? {
        for test in &file.tests {
            let name = format!("{}-{}", file.rule_id, test.test_id);
            for stage in &test.stages {
                let input = &stage.input;
                for target in input.targets() {
                    let request = request::build(input, &target, &[])
                        .map_err(|error| format!("{}: {name}: {error}", file.path.display()))?
                        .request;
                    let reflector = Reflector {
                        fixed: input.response.as_ref(),
                    };
                    let response = reflector.respond(&request);
                    let cares = input.response.is_some() || !response.body.is_empty();
                    found.push(RegressionExchange {
                        test: name.clone(),
                        request,
                        response: cares.then_some(response),
                    });
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::regression_exchanges;

    #[test]
    fn a_suite_gives_its_requests() {
        let place = std::env::temp_dir().join(format!("parapet-{}-7.yaml", std::process::id()));
        let text = "rule_id: 7\ntests:\n  - stages:\n      - input: {uris: [/a, /b], headers: {Host: x}}\n  - stages:\n      - input: {uri: /reflect, method: POST, headers: {Content-Type: application/json}, data: '{\"body\": \"<h1>\"}'}\n";
        std::fs::write(&place, text).unwrap();
        let found = regression_exchanges(std::slice::from_ref(&place));
        std::fs::remove_file(&place).unwrap();
        let found = found.unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.test.as_str(), &one.request.target[..]))
            .collect();
        assert_eq!(
            told,
            [("7-1", &b"/a"[..]), ("7-1", b"/b"), ("7-2", b"/reflect")]
        );
        assert!(found[0].response.is_none());
        assert_eq!(found[2].response.as_ref().unwrap().body, b"<h1>");
    }
}
