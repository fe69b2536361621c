//! Variables that hold whole bodies and files.

use super::*;

#[test]
fn the_full_request_is_line_headers_and_body() {
    let show = |variable: &str, phase: u8| {
        let rule =
            format!("SecAction \"id:1,phase:{phase},nolog,pass,setvar:'tx.x=%{{{variable}}}'\"");
        x_after(&rule, "a=b").unwrap()
    };
    let before = "POST /p?q=1 HTTP/1.1\n\nContent-Type: application/x-www-form-urlencoded\n\n\n";
    assert_eq!(show("FULL_REQUEST", 1), before);
    assert_eq!(show("FULL_REQUEST", 2), format!("{before}a=b"));
    assert_eq!(
        show("FULL_REQUEST_LENGTH", 2),
        (before.len() + 3).to_string()
    );
    assert_eq!(show("STATUS_LINE", 3), "404 Not Found");
}

#[test]
fn stream_bodies_stand_behind_their_directives() {
    let rules = |switch: &str| {
        format!(
            "SecStreamInBodyInspection {switch}\nSecStreamOutBodyInspection {switch}\n\
             SecAction \"id:1,phase:4,nolog,pass,\
             setvar:'tx.x=%{{STREAM_INPUT_BODY}}|%{{STREAM_OUTPUT_BODY}}'\""
        )
    };
    assert_eq!(
        x_after(&rules("On"), "a=b").as_deref(),
        Some("a=b|<p>answer")
    );
    assert_eq!(x_after(&rules("Off"), "a=b").as_deref(), Some("|"));
}

const FILE_BODY: &[u8] =
    b"--b\r\nContent-Disposition: form-data; name=\"up\"; filename=\"f\"\r\n\r\n\
    one\r\ntwo\r\n--b\r\nContent-Disposition: form-data; name=\"more\"; filename=\"g\"\r\n\r\n\
    three\r\n--b--\r\n";

#[test]
fn contents_of_files_are_there_for_rules_that_read_them() {
    let mut transaction = begin(
        "SecRule FILES_TMP_CONTENT:up \"@rx ^one\\r\\ntwo$\" \"id:1,phase:2,pass\"\n\
         SecRule FILES_TMP_CONTENT \"@streq three\" \"id:2,phase:2,pass\"",
    );
    run_to_the_end(
        &mut transaction,
        FILE_BODY,
        b"multipart/form-data; boundary=b",
    );
    let ids: Vec<u64> = transaction
        .drain_matches()
        .iter()
        .map(|found| found.rule_id)
        .collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn the_file_limit_binds_where_files_are_extracted() {
    let flag = |directive: &str| {
        let mut transaction = begin(&format!(
            "SecUploadFileLimit 1\n{directive}\nSecAction \"id:1,phase:2,nolog,pass,\
             setvar:tx.x=%{{MULTIPART_FILE_LIMIT_EXCEEDED}}\""
        ));
        run_to_the_end(
            &mut transaction,
            FILE_BODY,
            b"multipart/form-data; boundary=b",
        );
        tx(&transaction, "x").unwrap()
    };
    assert_eq!(flag(""), "0");
    assert_eq!(flag("SecUploadKeepFiles On"), "1");
    assert_eq!(flag("SecTmpSaveUploadedFiles On"), "1");
}
