package python

// Magic returns the directive or code that a notebook of Go has in place of a directive of IPython, or "" if it has
// nothing. name begins with the directive's percent signs.
func Magic(name string) string {
	if text := magics[name]; text != "" {
		return text
	}
	return shellMagics[name]
}

var magics = map[string]string{
	"%pip": getText, "%conda": getText, "%mamba": getText, "%uv": getText,
	"%matplotlib": plotText, "%pylab": plotText, "%gui": plotText,
	"%autoreload": reloadText, "%load_ext": reloadText, "%reload_ext": reloadText, "%aimport": reloadText,
	"%%html": "display.HTML(text) of package lib/display shows HTML", "%%HTML": "display.HTML(text) of package lib/display shows HTML",
	"%%markdown": "display.Markdown(text) of package lib/display shows Markdown", "%%latex": "display.Latex(text) of package lib/display shows a formula",
	"%%svg": "display.SVG(text) of package lib/display shows a picture", "%%javascript": "display.HTML(text) of package lib/display shows a page",
	"%%python": scriptText + "python3", "%%python3": scriptText + "python3", "%%perl": scriptText + "perl", "%%ruby": scriptText + "ruby",
	"%prun": "%%prof shows a profile of a cell", "%%prun": profText, "%lprun": profText, "%%lprun": profText, "%mprun": "%%prof mem shows a profile of allocated memory",
	"%memit": "%time shows the memory that a statement allocates", "%%memit": "%%time shows the memory that a cell allocates",
	"%%capture": "%capture FILE copies the cell's output to a file", "%tb": "%traceback all shows all calls in a traceback",
	"%xdel": "%remove NAME removes a variable", "%reset_selective": "%remove NAME removes a variable", "%set_env": "%env NAME=VALUE sets a variable of the environment",
	"%pinfo": "NAME? shows the documentation of NAME", "%pdoc": "NAME? shows the documentation of NAME", "%psource": "NAME?? shows the source of NAME",
	"%rerun": "%replay runs the cells that made lost variables, %load shows a file's text", "%recall": "%history N shows the text of cell N",
	"%debug": debugText, "%pdb": debugText, "%system": "!COMMAND runs a command of the shell", "%sx": "!COMMAND runs a command of the shell",
	"%%go": "a cell is Go without a directive", "%quickref": "%help lists all directives", "%magic": "%help lists all directives",
}

const (
	getText    = "%get PATH fetches a Go package"
	plotText   = "pictures are shown without a directive: a cell shows a plot that is its last value"
	reloadText = "it is not needed: a cell uses the changed code of packages in the notebook's modules"
	scriptText = "write %%script "
	profText   = "%%prof shows a profile of a cell, with its lines"
	debugText  = "a notebook of Go has no debugger: %goroutines, %traceback all and %race on help to find errors"
)

// shellMagics are the directives of IPython that run commands of the shell.
var shellMagics = map[string]string{
	"%cat": "write !cat", "%cp": "write !cp", "%mv": "write !mv", "%mkdir": "write !mkdir", "%rmdir": "write !rmdir", "%ll": "write !ls -l", "%less": "write !cat", "%more": "write !cat", "%man": "write !man",
	"%git": "write !git", "%echo": "write !echo",
}
