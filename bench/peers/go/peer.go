// A peer in Go: frames of a 4-byte length on a bufio.Reader and a bufio.Writer.
//
//	go-peer recv SIZE COUNT [owned|borrowed]   a slice of its own for every frame (as given out by
//	                                           most Go code), or one buffer used again and again
//	go-peer send SIZE COUNT [buffered|each]    through the writer, or one write to the socket per frame
//	go-peer echo SIZE COUNT
//	go-peer lines SIZE COUNT                   no socket: bufio.Scanner over COUNT lines, timed by itself
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"
)

const bufferSize = 64 << 10

func main() {
	if len(os.Args) < 4 {
		usage()
	}
	role, size, count := os.Args[1], number(os.Args[2]), number(os.Args[3])
	mode := ""
	if len(os.Args) > 4 {
		mode = os.Args[4]
	}
	switch role + " " + mode {
	case "recv ", "recv owned":
		serve(func(conn net.Conn) error { return receive(conn, readFrame) })
	case "recv borrowed":
		serve(func(conn net.Conn) error { return receive(conn, frameReuser()) })
	case "send ", "send buffered":
		serve(func(conn net.Conn) error { return sendBuffered(conn, size, count) })
	case "send each":
		serve(func(conn net.Conn) error { return sendEach(conn, size, count) })
	case "echo ":
		serve(echo)
	case "lines ":
		lines(size, count)
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "Usage: go-peer recv|send|echo|lines SIZE COUNT [MODE]")
	os.Exit(2)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		usage()
	}
	return n
}

func serve(handle func(net.Conn) error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer conn.Close()
			if err := handle(conn); err != nil {
				log.Print(err)
			}
		}()
	}
}

// A frameReader gives the next payload, or io.EOF where the stream ends between two frames.
type frameReader func(*bufio.Reader) ([]byte, error)

func readLength(r *bufio.Reader) (int, error) {
	// An array that is passed to io.ReadFull would be allocated for every frame.
	header, err := r.Peek(4)
	if err != nil {
		if err == io.EOF && len(header) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	length := int(binary.BigEndian.Uint32(header))
	_, err = r.Discard(4)
	return length, err
}

func readPayload(r *bufio.Reader, payload []byte) ([]byte, error) {
	_, err := io.ReadFull(r, payload)
	if err == io.EOF && len(payload) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return payload, err
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	length, err := readLength(r)
	if err != nil {
		return nil, err
	}
	return readPayload(r, make([]byte, length))
}

// frameReuser gives payloads that are valid until the next one is read.
func frameReuser() frameReader {
	var payload []byte
	return func(r *bufio.Reader) ([]byte, error) {
		length, err := readLength(r)
		if err != nil {
			return nil, err
		}
		if length > cap(payload) {
			payload = make([]byte, length)
		}
		return readPayload(r, payload[:length])
	}
}

func writeFrame(w *bufio.Writer, payload []byte) error {
	header := binary.BigEndian.AppendUint32(w.AvailableBuffer(), uint32(len(payload)))
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

func receive(conn net.Conn, read frameReader) error {
	r := bufio.NewReaderSize(conn, bufferSize)
	var frames, payloadBytes uint64
	for {
		payload, err := read(r)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		frames++
		payloadBytes += uint64(len(payload))
	}
	var answer [16]byte
	binary.BigEndian.PutUint64(answer[:8], frames)
	binary.BigEndian.PutUint64(answer[8:], payloadBytes)
	_, err := conn.Write(answer[:])
	return err
}

func sendBuffered(conn net.Conn, size, count int) error {
	w := bufio.NewWriterSize(conn, bufferSize)
	payload := make([]byte, size)
	for i := 0; i < count; i++ {
		if err := writeFrame(w, payload); err != nil {
			return err
		}
	}
	return w.Flush()
}

func sendEach(conn net.Conn, size, count int) error {
	frame := make([]byte, 4+size)
	binary.BigEndian.PutUint32(frame, uint32(size))
	for i := 0; i < count; i++ {
		if _, err := conn.Write(frame); err != nil {
			return err
		}
	}
	return nil
}

// A flushingReader sends what is buffered before it may block: one write answers one read.
type flushingReader struct {
	conn io.Reader
	w    *bufio.Writer
}

func (f flushingReader) Read(p []byte) (int, error) {
	if err := f.w.Flush(); err != nil {
		return 0, err
	}
	return f.conn.Read(p)
}

func echo(conn net.Conn) error {
	w := bufio.NewWriterSize(conn, bufferSize)
	r := bufio.NewReaderSize(flushingReader{conn, w}, bufferSize)
	read := frameReuser()
	for {
		payload, err := read(r)
		if err == io.EOF {
			return w.Flush()
		}
		if err != nil {
			return err
		}
		if err := writeFrame(w, payload); err != nil {
			return err
		}
	}
}

func lines(size, count int) {
	line := append(bytes.Repeat([]byte("x"), size), '\n')
	text := bytes.Repeat(line, count)
	scanLines(text[:len(text)/4]) // warm-up
	start := time.Now()
	found, length := scanLines(text)
	ns := time.Since(start).Nanoseconds()
	if found != count || length != size*count {
		log.Fatalf("found %d lines of %d bytes", found, length)
	}
	fmt.Printf("{\"name\":\"go\",\"ns\":%d,\"count\":%d,\"bytes\":%d}\n", ns, count, len(text))
}

func scanLines(text []byte) (found, length int) {
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(make([]byte, bufferSize), bufferSize)
	for scanner.Scan() {
		found++
		length += len(scanner.Text())
	}
	return
}
