using Candela.Cli;

return CandelaCommand.Run(args, Console.Out, Console.Error);
