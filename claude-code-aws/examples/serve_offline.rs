//! The HTTP API and the service creator's page on the local twin: `cargo run --features server --example serve_offline`.

use claude_code_aws::http::{App, Settings, bind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> claude_code_aws::Result<()> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().unwrap_or_else(|| ".claude-code-aws".to_owned());
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let addr = addr.parse().map_err(|_| claude_code_aws::Error::invalid("the address is HOST:PORT"))?;
    let server = bind(App::local(directory, Settings::default()).await?, addr).await?;
    println!("http://{}", server.addr());
    server.until(std::future::pending()).await
}
