/*
 * A peer in Java: Netty with LengthFieldBasedFrameDecoder and LengthFieldPrepender, on NIO.
 *
 *   netty-peer recv SIZE COUNT
 *   netty-peer send SIZE COUNT [buffered|each]   a flush when Netty's buffer is full, or one per frame
 *   netty-peer echo SIZE COUNT
 */

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LengthFieldPrepender;
import java.net.InetSocketAddress;
import java.util.function.Supplier;

public final class Peer {
  public static void main(String[] args) throws InterruptedException {
    if (args.length < 3) usage();
    int size = number(args[1]);
    int count = number(args[2]);
    switch (args[0] + " " + (args.length > 3 ? args[3] : "")) {
      case "recv ":
        serve(Receiver::new);
        break;
      case "send ":
      case "send buffered":
        serve(() -> new Sender(size, count, false));
        break;
      case "send each":
        serve(() -> new Sender(size, count, true));
        break;
      case "echo ":
        serve(Echo::new);
        break;
      default:
        usage();
    }
  }

  private static void usage() {
    System.err.println("Usage: netty-peer recv|send|echo SIZE COUNT [MODE]");
    System.exit(2);
  }

  private static int number(String text) {
    try {
      return Integer.parseUnsignedInt(text);
    } catch (NumberFormatException error) {
      usage();
      return 0;
    }
  }

  private static void serve(Supplier<ChannelHandler> handler) throws InterruptedException {
    Channel listener =
        new ServerBootstrap()
            .group(new NioEventLoopGroup())
            .channel(NioServerSocketChannel.class)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    channel
                        .pipeline()
                        .addLast(new LengthFieldBasedFrameDecoder(Integer.MAX_VALUE, 0, 4, 0, 4))
                        .addLast(new LengthFieldPrepender(4))
                        .addLast(handler.get());
                  }
                })
            .bind("127.0.0.1", 0)
            .sync()
            .channel();
    System.out.println("listening " + ((InetSocketAddress) listener.localAddress()).getPort());
    listener.closeFuture().sync();
  }

  /** Calls {@link #ended} when the other side has sent all that it has. */
  private abstract static class Handler extends ChannelInboundHandlerAdapter {
    void ended(ChannelHandlerContext context) {}

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE) ended(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
      System.err.println(error);
      context.close();
    }
  }

  private static final class Receiver extends Handler {
    private long frames;
    private long bytes;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf frame = (ByteBuf) message;
      frames++;
      bytes += frame.readableBytes();
      frame.release();
    }

    @Override
    void ended(ChannelHandlerContext context) {
      // Not a frame: it goes past the prepender.
      ByteBuf answer = context.alloc().buffer(16).writeLong(frames).writeLong(bytes);
      context.pipeline().firstContext().writeAndFlush(answer)
          .addListener(ChannelFutureListener.CLOSE);
    }
  }

  private static final class Sender extends Handler {
    private final ByteBuf payload;
    private final boolean flushEach;
    private int left;
    private boolean sending;

    Sender(int size, int count, boolean flushEach) {
      payload = Unpooled.directBuffer(size).writeZero(size);
      left = count;
      this.flushEach = flushEach;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      send(context);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      send(context);
    }

    private void send(ChannelHandlerContext context) {
      // A flush may say at once that there is room again; the loop below sees that by itself.
      if (sending) return;
      sending = true;
      Channel channel = context.channel();
      while (left > 0 && channel.isWritable()) {
        while (left > 0 && channel.isWritable()) {
          context.write(payload.retainedDuplicate(), context.voidPromise());
          left--;
          if (flushEach) break;
        }
        context.flush();
      }
      sending = left == 0; // There is no more to do for a late change of the writability.
      if (left > 0) return;
      payload.release();
      context.pipeline().firstContext().writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(ChannelFutureListener.CLOSE);
    }
  }

  private static final class Echo extends Handler {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.write(message, context.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }

    @Override
    void ended(ChannelHandlerContext context) {
      context.pipeline().firstContext().writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(ChannelFutureListener.CLOSE);
    }
  }
}
