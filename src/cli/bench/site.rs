//! What answers the requests of a benchmark, whatever engine inspects them.

use std::path::Path;

use crate::cli::driver::Backend;
use crate::cli::message::{Request, Response};

/// A backend that answers paths that begin with `/html` with a page, and everything else with an
/// empty 200.
#[derive(Debug, Default)]
pub struct Site {
    page: Option<Vec<u8>>,
}

impl Site {
    /// The site of a directory of requests, whose page is `response.html`; without it every answer is
    /// empty.
    #[must_use]
    pub fn load(directory: &Path) -> Self {
        Self {
            page: std::fs::read(directory.join("response.html")).ok(),
        }
    }

    /// What it answers.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Response {
        let page = self
            .page
            .as_ref()
            .filter(|_| request.target.starts_with(b"/html"));
        let (kind, body) = match page {
            Some(page) => (&b"text/html; charset=utf-8"[..], page.clone()),
            None => (&b"text/plain"[..], Vec::new()),
        };
        Response {
            status: 200,
            protocol: b"HTTP/1.1".to_vec(),
            headers: vec![
                (b"content-type".to_vec(), kind.to_vec()),
                (
                    b"content-length".to_vec(),
                    body.len().to_string().into_bytes(),
                ),
            ],
            body,
        }
    }
}

impl Backend for Site {
    fn respond(&self, request: &Request) -> Response {
        self.answer(request)
    }
}
