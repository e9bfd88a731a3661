"""From a timeline to answers: what the chart, a person or a tool says to each clinical input."""
