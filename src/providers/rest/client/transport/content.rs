//! The content of an answer, read within a time and a size.

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Instant,
};

use reqwest::blocking::Response;

use crate::providers::rest::{client::failure::Failure, definition::ErrorClass as Class};

/// Reads what `response` holds until `end`, and up to `most` bytes. A server that sends a byte now and then is cut off:
/// the time is that of the request as a whole, and not that of one read.
///
/// # Errors
/// It is cut off, late, or larger.
pub fn read(response: Response, most: u64, end: Instant) -> Result<Vec<u8>, Failure> {
    let status = response.status();
    let too_large =
        || Failure::new(Class::Other, format!("the answer is larger than {most} bytes")).with_status(status);
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let given_up = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let flag = given_up.clone();
    let reading = move || _ = sender.send(to_end(response, most, &flag));
    thread::Builder::new().spawn(reading).map_err(|error| cut_off(&error.to_string()))?;
    match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
        Ok(Ok(bytes)) if bytes.len() as u64 > most => Err(too_large()),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(cut_off(&error.to_string())),
        Err(RecvTimeoutError::Timeout) => {
            given_up.store(true, Ordering::SeqCst);
            Err(Failure { late: true, ..cut_off("it did not end in time") })
        }
        Err(RecvTimeoutError::Disconnected) => Err(cut_off("it could not be read")),
    }
}

fn to_end(mut response: Response, most: u64, given_up: &AtomicBool) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while bytes.len() as u64 <= most && !given_up.load(Ordering::SeqCst) {
        match response.read(&mut buffer)? {
            0 => break,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(bytes)
}

fn cut_off(why: &str) -> Failure {
    let message = format!("the answer was cut off: {why}");
    Failure { again: true, sent: true, ..Failure::new(Class::Unavailable, message) }
}
