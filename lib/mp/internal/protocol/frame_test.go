package protocol

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

type bufferCloser struct{ bytes.Buffer }

func (*bufferCloser) Close() error { return nil }

func encodedFrame(f Frame) []byte {
	var b bufferCloser
	c := FrameWriter{W: &b}
	if err := c.Send(f); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestFrameRoundTrip(t *testing.T) {
	for _, f := range []Frame{
		{Kind: FrameUpdate, Body: []byte{}}, {Kind: FrameResult, Id: 1<<idBits - 1, Body: []byte("result")},
		{Kind: FrameReady, Body: []byte{}},
	} {
		got, err := ReadFrame(bufio.NewReader(bytes.NewReader(encodedFrame(f))), nil)
		if err != nil || got.Kind != f.Kind || got.Id != f.Id || !bytes.Equal(got.Body, f.Body) {
			t.Errorf("%+v arrived as %+v, %v", f, got, err)
		}
	}
}

// TestForeignBytesWithinAFrame checks that other bytes within a frame are detected.
func TestForeignBytesWithinAFrame(t *testing.T) {
	whole := encodedFrame(Frame{Kind: FrameResult, Id: 7, Body: bytes.Repeat([]byte{0}, 100)})
	whole = append(whole, whole...)
	for at := range len(whole) / 2 {
		b := bytes.Join([][]byte{whole[:at], []byte("log\n"), whole[at:]}, nil)
		_, err := ReadFrame(bufio.NewReader(bytes.NewReader(b)), nil)
		if !errors.Is(err, failure.ErrMalformed) {
			t.Fatalf("foreign bytes at %d: got %v", at, err)
		}
	}
}

// FuzzReadFrame checks that ReadFrame does not panic on arbitrary bytes, allocates
// little more than their size, and accepts only frames that Send could have written.
func FuzzReadFrame(f *testing.F) {
	good := encodedFrame(Frame{Kind: FrameTask, Id: 3, Body: []byte("body")})
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte("hello, world: this is a log line of mine\n"))
	f.Add(append(append([]byte{}, good...), "text"...))
	f.Add([]byte{FrameResult, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		left := len(b)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for {
			got, err := ReadFrame(r, nil)
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, failure.ErrMalformed) {
					t.Errorf("got %v", err)
				}
				break
			}
			again := encodedFrame(got)
			if at := len(b) - left; !bytes.Equal(b[at:at+len(again)], again) {
				t.Error("a frame that nobody sent")
			}
			left -= len(again)
			_, _ = ParseReply(got.Body)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(64<<10+100*len(b)) {
			t.Errorf("%d bytes were allocated for %d", n, len(b))
		}
	})
}
