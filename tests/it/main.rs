//! The suite that needs the binary, the sources or a real server.
