package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
	"github.com/perijove/perijove/kernel/internal/transport"
	"github.com/perijove/perijove/kernel/internal/wire"
)

const watchdog = 2 * time.Minute // how long tests wait before they fail

// connectionFile writes a connection file with Unix sockets in a new folder, so that
// tests do not compete for ports.
func connectionFile(t *testing.T) (string, transport.Connection) {
	t.Helper()
	dir := t.TempDir()
	c := transport.Connection{
		Transport: "ipc", IP: filepath.Join(dir, "k"),
		ShellPort: 1, IOPubPort: 2, StdinPort: 3, ControlPort: 4, HBPort: 5,
		SignatureScheme: "hmac-sha256", Key: "a key",
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "c.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(watchdog); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// start runs the fake kernel and waits until it serves.
func start(t *testing.T, prefix []string, env ...string) (*exec.Cmd, transport.Connection) {
	t.Helper()
	path, c := connectionFile(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(prefix, self, path)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), append(env, fakeKernel+"=1")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	eventually(t, "the kernel's sockets", func() bool {
		_, err := os.Stat(c.IP + "-5")
		return err == nil
	})
	return cmd, c
}

func TestSIGTERMEndsInOrder(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		cmd, c := start(t, nil)
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
		if left, _ := filepath.Glob(c.IP + "-*"); len(left) != 0 {
			t.Errorf("%v: left behind %q", sig, left)
		}
	}
}

// TestSIGINT: the signal stops a running cell and does not end the kernel, also if the parent
// ignored the signal, as for a shell's background job.
func TestSIGINT(t *testing.T) {
	for _, prefix := range [][]string{nil, {"/bin/sh", "-c", `trap "" INT; exec "$0" "$@"`}} {
		cmd, c := start(t, prefix)
		client, err := kerneltest.Dial(c)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		interrupt := func() {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		interrupt() // no cell runs; the signal may arrive late, and stop the next cell
		id := ""
		for begun := false; !begun; {
			if id, err = client.Execute("print begins\nhold"); err != nil {
				t.Fatal(err)
			}
			begun = begins(t, client, id)
		}
		interrupt()
		reply, err := client.RecvReply(t.Context(), kerneltest.Shell, id)
		if err != nil || !strings.Contains(string(reply.Content), "Interrupted") {
			t.Errorf("reply %s, %v", reply.Content, err)
		}
		id, err = client.Execute("print lives")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.RecvReply(t.Context(), kerneltest.Shell, id); err != nil {
			t.Error(err)
		}
	}
}

// begins waits for output of a cell and reports whether it came before the cell's end.
func begins(t *testing.T, client *kerneltest.Client, id string) bool {
	t.Helper()
	for {
		m, err := client.RecvReply(t.Context(), kerneltest.IOPub, id)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case m.Header.MsgType == "stream":
			return true
		case kerneltest.State(m) == wire.Idle:
			return false
		}
	}
}

// TestOrphan: the kernel ends when the process that JPY_PARENT_PID names has ended, also if
// that is not its direct parent.
func TestOrphan(t *testing.T) {
	parent := exec.Command("/bin/sleep", "1000")
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	kernel, _ := start(t, nil, "JPY_PARENT_PID="+strconv.Itoa(parent.Process.Pid))
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	if err := kernel.Wait(); err != nil {
		t.Error(err)
	}
}

// TestParentDies: the kernel ends when the shell that started it is killed.
func TestParentDies(t *testing.T) {
	shell, c := start(t, []string{"/bin/sh", "-c", `JPY_PARENT_PID=$$ "$0" "$@" & wait`})
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	shell.Wait()
	eventually(t, "the kernel to end", func() bool {
		left, err := filepath.Glob(c.IP + "-*")
		return err == nil && len(left) == 0
	})
}
