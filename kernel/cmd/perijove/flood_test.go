package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// TestFlood: 100 MB of output reach a front end that is slow at first, completely and in
// order. Meanwhile the kernel answers other requests, and its memory stays bounded.
func TestFlood(t *testing.T) {
	// The first kernel on a machine builds the image, which takes memory. Before that, it offers no
	// completions.
	if _, err := startReal(t).execute(cellRun{code: "0"}); err != nil {
		t.Fatal(err)
	}
	k := startReal(t)
	if _, err := k.execute(cellRun{code: "0"}); err != nil {
		t.Fatal(err)
	}
	const lines, width = 1_600_000, 64
	id, err := k.client.Execute(fmt.Sprintf(`w := bufio.NewWriterSize(os.Stdout, 1<<16)
for i := range %d { fmt.Fprintf(w, "%%063d\n", i) }
w.Flush()`, lines))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if got, err := k.ask(kerneltest.Control, "kernel_info_request", "{}"); err != nil || !strings.Contains(got, "perijove") {
		t.Errorf("kernel_info beside a flood: %.100s, %v", got, err)
	}
	if got, err := k.ask(kerneltest.Shell, "complete_request", `{"code":"fmt.Printl","cursor_pos":10}`); err != nil || !strings.Contains(got, "Println") {
		t.Errorf("completion beside a flood: %.100s, %v", got, err)
	}
	seen, rest := 0, ""
	for {
		m, err := k.client.RecvReply(t.Context(), kerneltest.IOPub, id)
		if err != nil {
			t.Fatal(err)
		}
		if kerneltest.State(m) == wire.Idle {
			break
		}
		if m.Header.MsgType != "stream" {
			continue
		}
		var s wire.Stream
		if err := json.Unmarshal(m.Content, &s); err != nil {
			t.Fatal(err)
		}
		text := rest + s.Text
		for ; len(text) >= width; text = text[width:] {
			if n, err := strconv.Atoi(text[:width-1]); err != nil || n != seen {
				t.Fatalf("line %d is %q", seen, text[:width])
			}
			seen++
		}
		rest = text
	}
	if seen != lines || rest != "" {
		t.Errorf("%d of %d lines, then %q", seen, lines, rest)
	}
	peak := statusMemory(t, k.cmd.Process.Pid, "VmHWM")
	t.Logf("%d MB; the kernel's memory at most: %d MB", lines*width/1_000_000, peak/1_000_000)
	if peak > 100_000_000 {
		t.Errorf("the kernel took %d bytes of memory", peak)
	}
}
