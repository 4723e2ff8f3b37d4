// Package flags writes the flags of a program for the parameters of a notebook.
package flags

import (
	"fmt"
	"go/types"
)

// flagFunctions are the functions of package flag for the types of parameters.
var flagFunctions = map[string]string{
	"int": "IntVar", "int64": "Int64Var", "uint": "UintVar", "uint64": "Uint64Var", "float64": "Float64Var",
	"string": "StringVar", "bool": "BoolVar", "time.Duration": "DurationVar",
}

// elementParsers are the calls of package strconv that parse an element of a slice.
var elementParsers = map[string]string{
	"int": "Atoi(%s)", "float64": "ParseFloat(%s, 64)", "bool": "ParseBool(%s)", "int64": "ParseInt(%s, 10, 64)",
}

// Code returns code that declares a flag for a variable of type t, or a comment if no flag can set such a variable.
// pkg imports a package and returns the name of the package in the code.
func Code(t types.Type, name, variable, usage string, pkg func(path string) string) string {
	if fn := flagFunctions[types.TypeString(t, nil)]; fn != "" {
		return fmt.Sprintf("%s.%s(&%s, %q, %s, %q)", pkg("flag"), fn, variable, name, variable, usage)
	}
	slice, ok := t.(*types.Slice)
	elem := ""
	if ok {
		elem = slice.Elem().String()
	}
	if usage == "" {
		usage = "values, separated by commas"
	}
	head := fmt.Sprintf("%s.Func(%q, %q, func(text string) error {\n", pkg("flag"), name, usage)
	switch {
	case elem == "string":
		return fmt.Sprintf("%s%s = %s.Split(text, \",\")\nreturn nil\n})", head, variable, pkg("strings"))
	case elementParsers[elem] != "":
		return fmt.Sprintf("%s%s = nil\nfor word := range %s.SplitSeq(text, \",\") {\nx, err := %s.%s\nif err != nil {\nreturn err\n}\n%[2]s = append(%[2]s, x)\n}\nreturn nil\n})",
			head, variable, pkg("strings"), pkg("strconv"), fmt.Sprintf(elementParsers[elem], pkg("strings")+".TrimSpace(word)"))
	default:
		return fmt.Sprintf("// %s has the type %s, which no flag sets.", name, types.TypeString(t, nil))
	}
}
