package childenv

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestOwn(t *testing.T) {
	want := Cluster{Build: [32]byte{1, 2}, Name: "n", URL: "nats://h:1,nats://h:2", Token: "t"}
	_, value, _ := strings.Cut(want.Environ()[0], "=")
	t.Setenv(variable, value)
	if c, err := Own(); c != nil || err != nil {
		t.Errorf("a process that is not a child of the one that set the variable: %v, %v", c, err)
	}
	_, rest, _ := strings.Cut(value, "\n")
	t.Setenv(variable, strconv.Itoa(os.Getppid())+"\n"+rest)
	if c, err := Own(); err != nil || c == nil || *c != want {
		t.Errorf("got %v, %v", c, err)
	}
	if b, err := Build(); err != nil || b != want.Build {
		t.Errorf("got %x, %v", b, err)
	}
	t.Setenv(variable, strconv.Itoa(os.Getppid())+"\nxy\n\n\n")
	if c, err := Own(); c != nil || err == nil || !strings.Contains(err.Error(), variable) {
		t.Errorf("got %v, %v", c, err)
	}
}
