//! A TCP proxy between a server and its engine, which can be cut and pointed elsewhere.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::error::LoadError;

/// A proxy. Its threads end with the program.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    route: Arc<Route>,
}

/// Where connections lead.
#[derive(Debug)]
struct Route {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    target: u16,
    /// Nothing passes, and nobody is told.
    swallows: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy to this port of loopback.
    pub fn start(target: u16) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "could not start a proxy", source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io_error)?;
        let port = listener.local_addr().map_err(io_error)?.port();
        let state = Mutex::new(State { target, swallows: false, open: Vec::new() });
        let route = Arc::new(Route { state, changed: Condvar::new() });
        let accepting = Arc::clone(&route);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection that can't be made ends the client's, as it would without a proxy.
                drop(accepting.connect(client));
            }
        });
        Ok(Self { port, route })
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing passes, as behind a cable that was pulled; or everything does again.
    pub fn swallow(&self, swallows: bool) {
        self.route.lock().swallows = swallows;
        self.route.changed.notify_all();
    }

    /// Ends all connections, and leads new ones to another port.
    pub fn switch(&self, target: u16) {
        let mut state = self.route.lock();
        state.target = target;
        for stream in state.open.drain(..) {
            // It may have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Route {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may pass.
    fn wait(&self) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| state.swallows)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let target = self.lock().target;
        let engine = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        for stream in [&client, &engine] {
            stream.set_nodelay(true)?;
        }
        self.lock().open.extend([client.try_clone()?, engine.try_clone()?]);
        self.pump(client.try_clone()?, engine.try_clone()?);
        self.pump(engine, client);
        Ok(())
    }

    fn pump(self: &Arc<Self>, mut from: TcpStream, mut to: TcpStream) {
        let route = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                drop(route.wait());
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            // Both ends have to learn of it; the other thread may have told them.
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// So that a test that would hang fails.
    const TIMEOUT: Duration = Duration::from_secs(10);

    /// An engine that answers with what it is sent, and begins with its name.
    fn engine(name: u8) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    stream.write_all(&[name]).unwrap();
                    io::copy(&mut stream.try_clone().unwrap(), &mut stream)
                });
            }
        });
        port
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap()
    }

    fn read(stream: &mut TcpStream) -> u8 {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        byte[0]
    }

    #[test]
    fn swallowed_bytes_arrive_when_the_way_is_free_again() {
        let proxy = Proxy::start(engine(b'1')).unwrap();
        let mut client = connect(&proxy);
        assert_eq!(read(&mut client), b'1');
        proxy.swallow(true);
        client.write_all(b"late").unwrap();
        client.set_read_timeout(Some(TIMEOUT)).unwrap();
        proxy.swallow(false);
        assert_eq!([0; 4].map(|_: u8| read(&mut client)), *b"late");
    }

    #[test]
    fn switched_proxy_ends_its_connections_and_leads_elsewhere() {
        let proxy = Proxy::start(engine(b'1')).unwrap();
        let mut client = connect(&proxy);
        assert_eq!(read(&mut client), b'1');
        proxy.switch(engine(b'2'));
        assert_eq!(client.read(&mut [0]).unwrap_or_default(), 0);
        assert_eq!(read(&mut connect(&proxy)), b'2');
    }
}
