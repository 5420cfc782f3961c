//! A peer in Rust: tokio with tokio-util's `LengthDelimitedCodec`, on one thread.
//!
//! ```text
//! tokio-peer recv SIZE COUNT [default|wide]   a read buffer of 8 KiB, as `Framed` has it, or of 64 KiB
//! tokio-peer send SIZE COUNT [buffered|each]  `feed` and a `flush` at the end, or `send`, which flushes
//! tokio-peer echo SIZE COUNT
//! tokio-peer lines SIZE COUNT                 no socket: `LinesCodec` over COUNT lines, timed by itself
//! ```

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use std::{env, future::Future, io, process::exit, time::Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Decoder, Framed, FramedRead, FramedWrite};
use tokio_util::codec::{LengthDelimitedCodec, LinesCodec, LinesCodecError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (role, size, count, mode) = match args[..] {
        [role, size, count] => (role, number(size), number(count), ""),
        [role, size, count, mode] => (role, number(size), number(count), mode),
        _ => usage(),
    };
    match (role, mode) {
        ("recv", "" | "default") => serve(|stream| receive(Framed::new(stream, codec()))).await,
        ("recv", "wide") => {
            serve(|stream| receive(Framed::with_capacity(stream, codec(), 64 << 10))).await
        }
        ("send", "" | "buffered") => serve(move |stream| send_buffered(stream, size, count)).await,
        ("send", "each") => serve(move |stream| send_each(stream, size, count)).await,
        ("echo", "") => serve(echo).await,
        ("lines", "") => lines(size, count),
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!("Usage: tokio-peer recv|send|echo|lines SIZE COUNT [MODE]");
    exit(2)
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| usage())
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(u32::MAX as usize)
        .new_codec()
}

async fn serve<F, H>(handle: H) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + 'static + Send,
    H: Fn(TcpStream) -> F,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = handle(stream);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        });
    }
}

async fn receive(mut framed: Framed<TcpStream, LengthDelimitedCodec>) -> io::Result<()> {
    let (mut frames, mut bytes) = (0u64, 0u64);
    while let Some(frame) = framed.try_next().await? {
        frames += 1;
        bytes += frame.len() as u64;
    }
    let mut stream = framed.into_inner();
    let answer = [frames.to_be_bytes(), bytes.to_be_bytes()].concat();
    stream.write_all(&answer).await?;
    stream.shutdown().await
}

async fn send_buffered(stream: TcpStream, size: usize, count: usize) -> io::Result<()> {
    let mut framed = Framed::new(stream, codec());
    let payload = Bytes::from(vec![0; size]);
    for _ in 0..count {
        framed.feed(payload.clone()).await?;
    }
    framed.flush().await?;
    framed.close().await
}

async fn send_each(stream: TcpStream, size: usize, count: usize) -> io::Result<()> {
    let mut framed = Framed::new(stream, codec());
    let payload = Bytes::from(vec![0; size]);
    for _ in 0..count {
        framed.send(payload.clone()).await?;
    }
    framed.close().await
}

/// `forward` feeds while frames are there and flushes when it has to wait for one.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let (reading, writing) = stream.split();
    FramedRead::new(reading, codec())
        .map_ok(BytesMut::freeze)
        .forward(FramedWrite::new(writing, codec()))
        .await
}

fn lines(size: usize, count: usize) -> io::Result<()> {
    let text = ("x".repeat(size) + "\n").repeat(count);
    read_lines(&text.as_bytes()[..text.len() / 4])?; // warm-up
    let start = Instant::now();
    let found = read_lines(text.as_bytes())?;
    let ns = start.elapsed().as_nanos();
    assert_eq!(found, (count, size * count));
    let bytes = text.len();
    println!(r#"{{"name":"tokio","ns":{ns},"count":{count},"bytes":{bytes}}}"#);
    Ok(())
}

/// The number of lines in `text`, which comes in chunks of 64 KiB, and their length together.
fn read_lines(text: &[u8]) -> io::Result<(usize, usize)> {
    let (mut found, mut length) = (0, 0);
    let mut codec = LinesCodec::new();
    let mut buffer = BytesMut::new();
    for chunk in text.chunks(64 << 10) {
        buffer.extend_from_slice(chunk);
        while let Some(line) = codec.decode(&mut buffer).map_err(invalid)? {
            found += 1;
            length += line.len();
        }
    }
    Ok((found, length))
}

fn invalid(error: LinesCodecError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
