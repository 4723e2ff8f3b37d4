package faulttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// insideVariable is the environment variable that tells the process that insideCommand has
// started what to do.
const insideVariable = "FAULTTEST_INSIDE"

func TestFaults(t *testing.T) {
	switch {
	case os.Getenv(insideVariable) == "test":
		testFaults(t, newNamespaces)
		return
	case *networkName == "loopback":
		t.Run("Loopback", func(t *testing.T) { testFaults(t, newLoopback) })
		return
	}
	cmd := insideCommand()
	cmd.Env = append(os.Environ(), roleVariable+"=probe")
	if out, err := cmd.CombinedOutput(); err != nil {
		if *networkName != "" {
			t.Fatalf("network namespaces cannot be had: %v: %s", err, out)
		}
		fmt.Fprintf(os.Stderr, "TestFaults uses the loopback interface, because network namespaces cannot be had: %v: %s\n", err, out)
		t.Run("LoopbackWithoutNamespaces", func(t *testing.T) { testFaults(t, newLoopback) })
		return
	}
	t.Run("Namespaces", func(t *testing.T) {
		cmd := insideCommand("-test.run=^TestFaults$", "-test.v", "-test.timeout=0", fmt.Sprintf("-tasks=%d", *taskCount), fmt.Sprintf("-cut=%v", *cutTime), "-only="+*only)
		cmd.Env = append(os.Environ(), insideVariable+"=test", "TMPDIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestFaults") {
			t.Errorf("%v", err)
		}
		t.Logf("%s", out)
	})
}

// hasStores reports whether each server has its own file system.
func (r *run) hasStores() bool {
	_, ok := r.net.(*namespaces)
	return ok
}

// mountStore gives the store of node i its own file system, where that is possible.
func (r *run) mountStore(i int) error {
	if !r.hasStores() {
		return nil
	}
	r.t.Cleanup(func() {
		if err := syscall.Unmount(r.store(i), syscall.MNT_DETACH); err != nil {
			r.t.Error(err)
		}
	})
	return mountStore(r.store(i))
}

func (r *run) store(i int) string { return filepath.Join(r.folder, fmt.Sprintf("node%d", i+1)) }

// fillStore lets the file system of the store of node i be full until empty is called.
func (r *run) fillStore(i int) (empty func()) {
	r.must(resize(r.store(i), 0))
	return func() { r.must(resize(r.store(i), 1<<30)) }
}
