"""The command line: parse, call, render. Business code lives below and knows no console."""
