//! HTTP pieces that variables are made of: request targets, query strings, cookies, content types.
