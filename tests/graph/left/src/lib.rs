//! A library for tokio that depends on `mid`: its dependents have tokio compiled in.

use std::io;

use anyrt::Tokio;
use mid::{Report, Service};

/// Visits a service of its own in a task of `tokio::spawn`.
pub async fn tour() -> io::Result<Report> {
    let service = Service::start_on(Tokio::current()).await?;
    let tour = tokio::spawn(async move {
        let mut report = service.visit().await?;
        report.add(service.close().await?);
        Ok(report)
    });
    tour.await?
}
