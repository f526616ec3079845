//! A run on a real runtime: everything on this machine, without faults.

use std::io;
use std::iter;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyrt::Runtime;
use anyrt::runtime::TcpListener;
use anyrt::sim::history::CheckError;
use indicatif::{ProgressBar, ProgressStyle};

use crate::replica::{Disk, Replica};
use crate::shared::{Error, Program};
use crate::totals::Totals;
use crate::workload::{CLIENTS, Workload};

const REPLICAS: usize = 3;

/// A number of runs, one after the other.
pub(crate) struct Runs {
    pub(crate) runs: u64,
    pub(crate) bug: bool,
}

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) totals: Totals,
    pub(crate) contradictions: Vec<CheckError>,
}

impl Program for Runs {
    type Report = Report;

    async fn run<R: Runtime>(&self, runtime: R) -> Result<Report, Error> {
        let mut report = Report::default();
        let bar = ProgressBar::new(self.runs).with_style(style());
        for _ in 0..self.runs {
            let workload = once(&runtime, self.bug, &report.totals).await?;
            report.contradictions.extend(workload.history.check().err());
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(report)
    }
}

async fn once<R: Runtime>(runtime: &R, bug: bool, totals: &Totals) -> io::Result<Arc<Workload>> {
    let (mut addrs, mut replicas) = (Vec::new(), Vec::new());
    for _ in 0..REPLICAS {
        let listener = runtime.tcp_bind((Ipv4Addr::LOCALHOST, 0)).await?;
        addrs.push(listener.local_addr()?.to_string());
        let replica = Replica { runtime: runtime.clone(), disk: Disk::default(), bug };
        replicas.push(runtime.spawn(replica.serve(listener)).abort_on_drop());
        totals.boots.add(1);
    }
    let workload = Workload::new(addrs);
    workload.run(iter::repeat_n(runtime.clone(), CLIENTS)).await?;
    totals.add(&workload);
    Ok(workload)
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
