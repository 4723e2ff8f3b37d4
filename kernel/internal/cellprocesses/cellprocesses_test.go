package cellprocesses

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestEnd: End ends the processes of one cell and all processes that they have started, also a process that
// ignores SIGINT.
func TestEnd(t *testing.T) {
	start := func() (cmd *exec.Cmd, child int) {
		cmd = exec.Command("sh", "-c", `trap "" INT; sleep 1000 & echo $!; wait`)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if child, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
			t.Fatal(err)
		}
		return cmd, child
	}
	var l List
	mine, child := start()
	other, _ := start()
	l.Add(1, mine.Process.Pid)
	l.Add(2, other.Process.Pid)
	if n := l.End(3); n != 0 {
		t.Errorf("%d processes of a cell that has none", n)
	}
	if n := l.End(1); n != 1 {
		t.Errorf("%d processes of the cell, want 1", n)
	}
	_ = mine.Wait() // its error says that it was killed
	for range 1000 {
		if startTime(child) == "" {
			break
		}
		if f := statFields(child); len(f) > 0 && string(f[0]) == "Z" {
			break // it has ended, and its new parent has not waited for it
		}
		time.Sleep(10 * time.Millisecond)
	}
	if (process{pid: child, since: startTime(child)}).isAlive() {
		t.Error("the program's child is alive")
	}
	if n := l.End(1); n != 0 {
		t.Errorf("%d processes of the cell after their end", n)
	}
	if startTime(other.Process.Pid) == "" {
		t.Error("the other cell's process has ended")
	}
	l.End(2)
	_ = other.Wait()
}
