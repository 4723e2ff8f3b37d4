package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// realKernel is an environment variable that makes the test binary act as perijove. On
// SIGUSR1 the process writes a census to the file that the variable names.
const realKernel = "PERIJOVE_TEST_REAL_KERNEL"

// A census has numbers about the resources of a kernel process.
type census struct {
	Goroutines int
	Heap       uint64 // bytes in use
	Stacks     string
}

func answerCensus(file string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			var stacks bytes.Buffer
			pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			text, _ := json.Marshal(census{runtime.NumGoroutine(), m.HeapInuse, stacks.String()})
			os.WriteFile(file+".new", text, 0o600)
			os.Rename(file+".new", file)
		}
	}()
}

// A testKernel is a kernel process, with real cells, and a front end.
type testKernel struct {
	t      *testing.T
	cmd    *exec.Cmd
	conn   transport.Connection
	client *kerneltest.Client
	file   string // of its census
	log    *lockedBuffer
	other  func(*wire.Message) // called with iopub messages of requests other than the present one; may be nil
}

// A lockedBuffer is a buffer for the output of a process that is still running.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startReal starts a kernel whose temporary files are in a folder of the test. before is a
// command that gets the kernel's command line as further arguments; it may be empty.
func startReal(t *testing.T, before ...string) *testKernel {
	t.Helper()
	path, c := connectionFile(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(t.TempDir(), "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	k := &testKernel{t: t, conn: c, file: filepath.Join(t.TempDir(), "census"), log: &lockedBuffer{}}
	argv := append(before, self, "kernel", path)
	k.cmd = exec.Command(argv[0], argv[1:]...)
	k.cmd.Env = append(os.Environ(), realKernel+"="+k.file, "TMPDIR="+tmp)
	k.cmd.Dir = tmp
	k.cmd.Stderr = k.log
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the kernel's log:\n%.5000s", k.log)
		}
	})
	eventually(t, "the kernel's sockets", func() bool {
		_, err := os.Stat(c.IP + "-5")
		return err == nil
	})
	k.client = k.dial()
	return k
}

// dial connects another front end.
func (k *testKernel) dial() *kerneltest.Client {
	k.t.Helper()
	client, err := kerneltest.Dial(k.conn)
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(k.t.Context(), watchdog)
	defer cancel()
	if err := client.AwaitWelcome(ctx); err != nil {
		k.t.Fatal(err)
	}
	return client
}

// A cellRun configures the execution of a cell.
type cellRun struct {
	code           string
	silent         bool
	answer         string // the answer to an expected input request; "" for none
	interruptAfter string // interrupt the cell when it has printed this
}

// A cellResult is the result of a cell.
type cellResult struct {
	status, ename, evalue  string
	stdout, stderr, result string
	displays               int
	id                     string // of the request
}

// execute runs a cell and waits for its idle status.
func (k *testKernel) execute(c cellRun) (cellResult, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), 5*time.Minute)
	defer cancel()
	content, err := json.Marshal(map[string]any{"code": c.code, "silent": c.silent, "allow_stdin": c.answer != "", "store_history": !c.silent})
	if err != nil {
		return cellResult{}, err
	}
	id, err := k.client.Send(kerneltest.Shell, "execute_request", string(content))
	if err != nil {
		return cellResult{}, err
	}
	if c.answer != "" {
		if err := k.answer(ctx, c.answer); err != nil {
			return cellResult{}, err
		}
	}
	res := cellResult{id: id}
	for {
		m, err := k.client.Recv(ctx, kerneltest.IOPub)
		if err != nil {
			return res, err
		}
		if m.Parent.MsgID != id {
			if k.other != nil {
				k.other(m)
			}
			continue
		}
		if kerneltest.State(m) == wire.Idle {
			break
		}
		if err := res.add(m); err != nil {
			return res, err
		}
		if c.interruptAfter != "" && strings.Contains(res.stdout, c.interruptAfter) {
			c.interruptAfter = ""
			if _, err := k.client.Send(kerneltest.Control, "interrupt_request", "{}"); err != nil {
				return res, err
			}
		}
	}
	m, err := k.client.RecvReply(ctx, kerneltest.Shell, id)
	if err != nil {
		return res, err
	}
	return res, res.end(m)
}

func (k *testKernel) answer(ctx context.Context, text string) error {
	m, err := k.client.Recv(ctx, kerneltest.Stdin)
	if err != nil {
		return err
	}
	if m.Header.MsgType != "input_request" {
		return fmt.Errorf("stdin: %s", m.Header.MsgType)
	}
	content, err := json.Marshal(wire.InputReply{Value: text})
	if err != nil {
		return err
	}
	_, err = k.client.Send(kerneltest.Stdin, "input_reply", string(content))
	return err
}

// add adds an iopub message to the result.
func (r *cellResult) add(m *wire.Message) error {
	switch m.Header.MsgType {
	case "stream":
		var s wire.Stream
		if err := json.Unmarshal(m.Content, &s); err != nil {
			return err
		}
		if s.Name == "stdout" {
			r.stdout += s.Text
		} else {
			r.stderr += s.Text
		}
	case "execute_result":
		var e struct{ Data map[string]any }
		if err := json.Unmarshal(m.Content, &e); err != nil {
			return err
		}
		r.result, _ = e.Data["text/plain"].(string)
	case "display_data", "update_display_data":
		r.displays++
	}
	return nil
}

func (r *cellResult) end(m *wire.Message) error {
	var e struct{ Status, EName, EValue string }
	if err := json.Unmarshal(m.Content, &e); err != nil {
		return err
	}
	r.status, r.ename, r.evalue = e.Status, e.EName, e.EValue
	return nil
}

// ask sends a request on a channel and returns the content of the reply.
func (k *testKernel) ask(channel, msgType, content string) (string, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), watchdog)
	defer cancel()
	id, err := k.client.Send(channel, msgType, content)
	if err != nil {
		return "", err
	}
	m, err := k.client.RecvReply(ctx, channel, id)
	if err != nil {
		return "", err
	}
	return string(m.Content), nil
}

// census returns the kernel's census.
func (k *testKernel) census() (c census, err error) {
	os.Remove(k.file)
	if err := k.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return c, err
	}
	for end := time.Now().Add(watchdog); ; time.Sleep(2 * time.Millisecond) {
		text, err := os.ReadFile(k.file)
		if err == nil {
			return c, json.Unmarshal(text, &c)
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(end) {
			return c, err
		}
	}
}
