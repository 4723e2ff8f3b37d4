package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNoSlowInitialization: the program does not link packages that read large tables when the program starts.
func TestNoSlowInitialization(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(string(out))
	if len(list) < 100 {
		t.Fatalf("only %d packages", len(list))
	}
	for _, path := range list {
		if strings.HasPrefix(path, "github.com/alecthomas/chroma/") {
			t.Errorf("the program links %s", path)
		}
	}
}
