from shoufu.runtime.cli import main

main()
