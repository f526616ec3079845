//! hyper-util on any async runtime: a connector, a pooled client and a server, through anyrt.
