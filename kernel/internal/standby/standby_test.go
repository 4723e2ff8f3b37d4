package standby

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be a standby, and then a child that prints the steps that it has applied.
func TestMain(m *testing.M) {
	if Wanted() {
		err := Run(func(msg []byte) error {
			var steps []string
			err := json.Unmarshal(msg, &steps)
			fmt.Println("applied", strings.Join(steps, " "))
			return err
		})
		dir, _ := os.Getwd()
		extra, _ := io.ReadAll(os.NewFile(3, "extra"))
		fmt.Printf("in %s: %s, %v\n", dir, extra, err)
		return
	}
	os.Exit(m.Run())
}

// A fakeHost has steps to update a standby with. The last one has effects.
type fakeHost struct {
	mu    sync.Mutex
	steps []string
	pid   int
}

func (h *fakeHost) Command() *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = os.Environ()
	return cmd
}

func (h *fakeHost) Updates(have, limit int) ([]byte, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	steps := h.steps[have:min(have+limit, len(h.steps)-1)]
	msg, err := json.Marshal(steps)
	if err != nil {
		panic(err)
	}
	return msg, len(steps)
}

func (h *fakeHost) Idle() bool          { return true }
func (h *fakeHost) MemoryLimited() bool { return false }

func (h *fakeHost) Report(pid int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pid = pid
}

func (h *fakeHost) reported() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pid
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it takes too long: %s", what)
		}
	}
}

// command returns a command like those of package mp, with its output in a file.
func command(t *testing.T, h *fakeHost) (cmd *exec.Cmd, out *os.File) {
	t.Helper()
	extra, err := os.CreateTemp(t.TempDir(), "extra")
	if err == nil {
		_, err = extra.WriteString("the command's file")
	}
	if err == nil {
		_, err = extra.Seek(0, io.SeekStart)
	}
	if err == nil {
		out, err = os.CreateTemp(t.TempDir(), "out")
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd = h.Command()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, out, []*os.File{extra}
	return cmd, out
}

// TestStandby: from the second start on, a standby waits, has the steps without effects, and becomes a command's
// process with the command's files and folder. A change that a new process would inherit discards the standby.
func TestStandby(t *testing.T) {
	h := &fakeHost{steps: []string{"one", "two", "effect"}}
	m := NewManager(h)
	go m.Run()
	for range standbyAfter {
		cmd, _ := command(t, h)
		if _, ok := m.Take(cmd); ok {
			t.Fatal("there was a standby before it is worth its memory")
		}
		if m.Tend(); h.reported() != 0 && m.starts < standbyAfter {
			t.Fatal("a standby was started too early")
		}
	}
	has := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		if s := m.waiting; s != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.have
		}
		return -1
	}
	eventually(t, "the standby gets the steps without effects", func() bool { m.Tend(); return has() == 2 })
	pid := h.reported()
	cmd, out := command(t, h)
	t.Chdir(t.TempDir()) // PWD is part of the environment, which must be as it was
	os.Setenv("PWD", envOf(cmd, "PWD"))
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	have, ok := m.Take(cmd)
	if !ok || have != 2 || cmd.Process == nil || cmd.Process.Pid != pid {
		t.Fatalf("have %d, ok %v; process %v, want that of the standby, %d", have, ok, cmd.Process, pid)
	}
	if _, err := cmd.Process.Wait(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if want := "applied one two\nin " + dir + ": the command's file, <nil>\n"; err != nil || string(text) != want {
		t.Errorf("it printed %q, %v; want %q", text, err, want)
	}

	eventually(t, "the next standby", func() bool { m.Tend(); return has() == 2 })
	next, _ := command(t, h)
	next.Env = append(next.Env, "A=B") // the command of another pool
	if _, ok := m.Take(next); ok {
		t.Error("the standby became a process with another environment")
	}
	m.Release()
	eventually(t, "the standby's end", func() bool { return h.reported() == 0 && has() == -1 })
}

func envOf(cmd *exec.Cmd, name string) string {
	for _, v := range cmd.Env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func TestFilesOf(t *testing.T) {
	cmd := exec.Command("true")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if files, err := FilesOf(cmd); err != nil || len(files) != 3 || files[0] != nil || files[1] != os.Stdout {
		t.Errorf("%v, %v", files, err)
	}
	cmd.Stdout = io.Discard
	if _, err := FilesOf(cmd); err == nil {
		t.Error("a stream that is not a file was accepted")
	}
}
