package compiler

import "strings"

// LinkCommand returns a command line of the toolchain's linker. The command links an object, which imports the
// packages paths, to the program out.
func (c *Compiler) LinkCommand(object, out string, paths []string) ([]string, error) {
	importcfg, err := c.cfg.Importcfg(paths)
	if err != nil {
		return nil, err
	}
	tool := strings.TrimSuffix(c.cfg.Tool, "compile") + "link"
	return []string{tool, "-o", out, "-importcfg", importcfg, "-s", "-w", "-buildmode=exe", object}, nil
}
