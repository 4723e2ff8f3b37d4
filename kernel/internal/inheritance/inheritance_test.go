package inheritance

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDescribe: the description changes with each attribute that a child inherits, and is the same again after the change is
// undone.
func TestDescribe(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	describe := func() string {
		t.Helper()
		s, err := Describe(exec.Command("/bin/true"), false)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := describe()
	for name, change := range map[string]func() (undo func()){
		"an environment variable": func() func() {
			os.Setenv("PERIJOVE_TEST_INHERITANCE", "x")
			return func() { os.Unsetenv("PERIJOVE_TEST_INHERITANCE") }
		},
		"the umask": func() func() {
			old := unix.Umask(0o123)
			return func() { unix.Umask(old) }
		},
		"an open file": func() func() {
			fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			return func() { _ = unix.Close(fd) }
		},
		"a limit": func() func() {
			var l unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil {
				t.Fatal(err)
			}
			smaller := l
			if smaller.Cur--; l.Cur == 0 {
				smaller.Cur = min(1, l.Max)
			}
			if err := unix.Setrlimit(unix.RLIMIT_CORE, &smaller); err != nil {
				t.Fatal(err)
			}
			return func() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &l) }
		},
	} {
		undo := change()
		if describe() == before {
			t.Errorf("%s does not change the description", name)
		}
		undo()
		if describe() != before {
			t.Errorf("after %s the description is not what it was", name)
		}
	}
	limited, err := Describe(exec.Command("/bin/true"), true)
	if err != nil || limited == before {
		t.Errorf("a limit of memory does not matter: %v", err)
	}
}
