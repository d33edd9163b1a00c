//! Connections to the API server that fall silent, as when a firewall forgets them.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Outcome;
use super::keys::{Keys, User};

/// Forwards connections to the API server; clients use its kubeconfig in place of the API server's own.
#[derive(Debug)]
pub(crate) struct Freezer {
    pub(crate) kubeconfig: PathBuf,
    frozen: watch::Sender<u64>,
}

impl Freezer {
    /// Starts it in front of the server at `url`; `name` is part of the file name of its kubeconfig.
    pub(crate) fn start(runtime: &Handle, keys: &Keys, url: &str, name: &str) -> Outcome<Self> {
        let server: SocketAddr = url
            .strip_prefix("https://")
            .ok_or("no HTTPS address")?
            .trim_end_matches('/')
            .parse()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let kubeconfig = keys.kubeconfig(
            User::Tester,
            &format!("https://{}", listener.local_addr()?),
            &format!("freezer-{name}"),
        )?;
        let frozen = watch::Sender::new(0);
        let seen = frozen.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server, seen.subscribe()));
            }
        });
        Ok(Self { kubeconfig, frozen })
    }

    /// Turns all open connections silent: they stay open, and nothing passes any more. New ones work.
    pub(crate) fn freeze(&self) {
        self.frozen.send_modify(|times| *times += 1);
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut frozen: watch::Receiver<u64>) {
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut upstream) => {}
        Ok(()) = frozen.changed() => {
            // The sockets stay open until the runtime of the bed ends.
            std::future::pending::<()>().await;
        }
    }
}
