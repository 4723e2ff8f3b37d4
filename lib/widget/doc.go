// Package widget puts the controls of ipywidgets into a notebook: sliders,
// menus, buttons, progress bars. A control's value is up to date in the program
// while a cell runs, and between cells.
//
//	workers := widget.NewIntSlider("workers", 1, 8, 2)
//	widget.Interact(func() any { return curve(workers.Value()) }, workers)
//
// Interact shows the controls and what the function returns, a plot for example,
// and calls it again whenever one of them changes.
//
// Types have the names that ipywidgets gives them, and each type or family of
// types has its file:
//
//	IntSlider, FloatSlider  slider.go
//	Checkbox                checkbox.go
//	Text, IntText           text.go
//	Dropdown                dropdown.go
//	Button                  button.go
//	IntProgress             progress.go
//	HTML, Label             html.go
//	HBox, VBox              box.go
//
// The front end needs the extension of ipywidgets 8: jupyterlab_widgets in
// JupyterLab (it comes with ipywidgets), and nothing in VS Code. In a program
// that no notebook runs, and where the extension is missing, controls keep the
// values that they were made with.
//
// Functions passed to OnChange, OnClick and Interact are called one at a time
// for each control, in a goroutine that the control starts. While one of them
// runs, changes are merged: it is called once more, with the last value.
//
// Source: the Jupyter widgets' messaging protocol 2.1 and model state 8.0
// (@jupyter-widgets/schema).
package widget
