package tempfolder

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// ownerVariable is the environment variable with the parent folder for a process that makes
// a folder, prints its path and waits.
const ownerVariable = "TEMPFOLDER_TEST_OWNER"

func TestMain(m *testing.M) {
	if parent := os.Getenv(ownerVariable); parent != "" {
		f, err := New(parent, "x-")
		if err != nil {
			panic(err)
		}
		println(f.Path)
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestFoldersOfKilledProcessesAreRemoved(t *testing.T) {
	parent := t.TempDir()
	mine, err := New(parent, "x-")
	if err != nil {
		t.Fatal(err)
	}
	unlocked := filepath.Join(parent, "x-unlocked") // as if just made
	if err := os.Mkdir(unlocked, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerVariable+"="+parent)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	foreign := lines.Text()
	for _, killed := range []bool{false, true} {
		if killed {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		f, err := New(parent, "x-")
		if err != nil {
			t.Fatal(err)
		}
		if exists(foreign) == killed {
			t.Errorf("process killed: %v; its folder %q exists: %v", killed, foreign, exists(foreign))
		}
		if !exists(mine.Path) || !exists(unlocked) {
			t.Error("a folder in use was removed")
		}
		if err := f.Remove(); err != nil || exists(f.Path) {
			t.Errorf("Remove: %v", err)
		}
	}
}

func TestNewConcurrently(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				f, err := New(parent, "x-")
				if err != nil {
					t.Error(err)
					return
				}
				if !exists(f.Path) {
					t.Error("the folder of a process that runs was removed")
				}
				if err := f.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left, _ := filepath.Glob(filepath.Join(parent, "x-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
