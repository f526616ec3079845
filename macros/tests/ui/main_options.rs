mod unknown {
    #[anyrt::main(tokyo)]
    async fn main() {}
}

mod hyphen {
    #[anyrt::main(async-std)]
    async fn main() {}
}

mod two {
    #[anyrt::main(tokio, smol)]
    async fn main() {}
}

mod workers {
    #[anyrt::main(async_std, workers = 2)]
    async fn main() {}
}

mod the_end {
    #[anyrt::main(smol_global, shutdown = "1s")]
    async fn main() {}
}

mod one_thread {
    #[anyrt::main(smol, current_thread)]
    async fn main() {}
}

mod shutdown {
    #[anyrt::main(tokio, shutdown = "soon")]
    async fn main() {}
}

mod watch {
    #[anyrt::main(tokio, watch = "soon")]
    async fn main() {}
}

mod no_text {
    #[anyrt::main(tokio, watch = 10)]
    async fn main() {}
}

mod no_watch {
    #[anyrt::main(smol, watch = "10ms")]
    async fn main() {}
}

mod blocking {
    #[anyrt::main(tokio)]
    fn main() {}
}

mod argument {
    #[anyrt::main(tokio)]
    async fn main(rt: anyrt::AnyRuntime) {}
}

mod generic {
    #[anyrt::main(tokio)]
    async fn main<R: anyrt::Runtime>() {}
}

mod no_function {
    #[anyrt::main(tokio)]
    struct Program;
}

fn main() {}
