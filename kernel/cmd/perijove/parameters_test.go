package main

import (
	"bytes"
	"strings"
	"testing"
)

const parametersNotebook = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", "cell_type": "code",
	"metadata": {"tags": ["parameters"]}, "source": "type Mode int\nworkers := []int{1, 2} // how many\nvar mode Mode", "outputs": [], "execution_count": null}]}`

func TestParametersCommand(t *testing.T) {
	for _, test := range []struct{ name, notebook, want string }{
		{"table", parametersNotebook, "workers  []int  []int{1, 2}  how many\nmode     Mode   \n"},
		{"--json", parametersNotebook, `[{"name":"workers","type":"[]int","kind":"slice","default":"[]int{1, 2}","help":"how many"},{"name":"mode","type":"Mode","kind":"int","default":"","help":""}]` + "\n"},
		{"none", strings.Replace(parametersNotebook, `["parameters"]`, "[]", 1), "no parameters: no cell tagged \"parameters\" declares variables\n"},
		{"--json", strings.Replace(parametersNotebook, `["parameters"]`, "[]", 1), "[]\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"parameters", "-"}
			if test.name == "--json" {
				args = append(args, test.name)
			}
			var out bytes.Buffer
			root := newCommand()
			root.SetIn(strings.NewReader(test.notebook))
			root.SetOut(&out)
			root.SetArgs(args)
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("prints\n%q, want\n%q", out.String(), test.want)
			}
		})
	}
	root := newCommand()
	root.SetIn(strings.NewReader(strings.Replace(parametersNotebook, "var mode", "var =", 1)))
	root.SetErr(&bytes.Buffer{})
	root.SetArgs([]string{"parameters", "-"})
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "cell 1, which is tagged parameters: line 3") {
		t.Errorf("err = %v", err)
	}
}
