"""What a meter's register counted: steps, faults, consumption."""
