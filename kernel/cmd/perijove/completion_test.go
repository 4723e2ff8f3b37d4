package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletionScripts loads each shell's script into the shell, if that is installed.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			script := perijoveOutput(t, "completion", shell)
			if !strings.Contains(script, "__complete") {
				t.Errorf("the script does not ask perijove:\n%.200s", script)
			}
			path, err := exec.LookPath(shell)
			if err != nil {
				return // only the check above is possible
			}
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	root := newCommand()
	root.SetArgs([]string{"completion", "tcsh"})
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "bash, zsh or fish") {
		t.Errorf("err = %v", err)
	}
}

// TestCompletion calls perijove as the completion scripts do.
func TestCompletion(t *testing.T) {
	notebook := filepath.Join(t.TempDir(), "n.ipynb")
	const text = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", "cell_type": "code",
		"metadata": {"tags": ["parameters"]}, "source": "workers := []int{1, 2}", "outputs": [], "execution_count": null}]}`
	if err := os.WriteFile(notebook, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"doc"}, "doctor"},
		{[]string{"completion", ""}, "zsh"},
		{[]string{"run", ""}, "ipynb"},
		{[]string{"run", notebook, "-p", ""}, "workers=\t[]int"},
	} {
		if got := perijoveOutput(t, append([]string{"__complete"}, test.args...)...); !strings.Contains(got, test.want) {
			t.Errorf("%q: no %q in\n%s", test.args, test.want, got)
		}
	}
}

func perijoveOutput(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := newCommand()
	root.SetOut(&out)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
